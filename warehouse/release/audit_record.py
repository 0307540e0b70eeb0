"""What a release asks of an audit: cycles about to be released go out, a record of what looks wrong comes back.

The audit's statistics live in another room, which imports this one: whoever orders a release names the audit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from warehouse.layout import Warehouse
from warehouse.release.cycles_file import row_groups
from warehouse.release.selection import Sides, StoredTrial


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreleasedCycles:
    """The cycles of a release that is being cut: their `file`, `points` samples each, and the trials they come from.

    `warehouse` holds what a release leaves out, such as activations; `sides` says whose cycles are in the file.
    """

    file: Path
    points: int
    warehouse: Warehouse
    trials: Sequence[StoredTrial]
    sides: Sides

    def tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The columns named, in tables of whole cycles, one after the other."""
        return row_groups(self.file, columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """What an audit writes into a release: one sentence for the dataset card, and all of it as plain data.

    `summary` has no full stop; `content` becomes `audit.json`. ValueError if there is no summary.
    """

    summary: str
    content: Mapping[str, object]

    def __post_init__(self) -> None:
        if not self.summary:
            raise ValueError("an audit's record needs a summary: the dataset card tells it.")


Auditor = Callable[[UnreleasedCycles], AuditRecord]
