"""Which files belong together: what a trial's row vouches for, and whether all of it is there.

The row of a session or trial is written last. A row without its files (deleted by hand) and files without their row
(left by a killed writer) are not results.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from warehouse.errors import WarehouseError
from warehouse.files.read import check_file, is_fresh, read_scaled_model, stored
from warehouse.files.storage import exists
from warehouse.identity import SessionKey, TrialKey
from warehouse.layout import Warehouse, scaled_model_path, table_path
from warehouse.metadata import Stored
from warehouse.schemas import PER_MOTION, PER_REJECTED, PER_SESSION, PER_TRIAL, schema_of

OutcomeWord = Literal["accepted", "kinematics", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPaths:
    """The paths of all files that one trial depends on. `facts` are its subject's and session's rows."""

    facts: tuple[str, ...]
    session: tuple[str, ...]
    trial: tuple[str, ...]
    motion: tuple[str, ...]
    rejected: tuple[str, ...]
    cycles: str

    def needed(self, row: Stored) -> tuple[str, ...]:
        """The files that must exist, given the trial's row: none for a rejected trial."""
        if row.summary["outcome"] == "rejected":
            return ()
        if row.summary["outcome"] == "kinematics":
            return (*self.facts, *self.session, *self.motion)
        if is_imported(row):
            return (*self.facts, self.cycles)
        return (*self.facts, *self.session, *self.trial, *((self.cycles,) if has_cycles(row) else ()))

    def allowed(self, row: Stored) -> tuple[str, ...]:
        """The files that may exist: of a rejected trial no table that an accepted one has, but for its strides."""
        return (*self.facts, *self.session, *self._own(row.summary["outcome"]))

    def obsolete(self, outcome: OutcomeWord) -> tuple[str, ...]:
        """The files that a trial of this outcome doesn't have: an earlier run of another outcome may have left them."""
        any_outcome = dict.fromkeys((*self.trial, self.cycles, *self.motion, *self.rejected))
        return tuple(path for path in any_outcome if path not in self._own(outcome))

    def _own(self, outcome: OutcomeWord) -> tuple[str, ...]:
        of_outcome = {
            "accepted": (*self.trial, self.cycles),
            "kinematics": self.motion,
            "rejected": self.rejected,
        }
        return of_outcome[outcome]


def trial_paths(warehouse: Warehouse, key: TrialKey) -> TrialPaths:
    """The paths of a trial's files, without its own row."""
    subject, session, *others = _session_tables(warehouse, key)
    return TrialPaths(
        facts=(subject, session),
        session=(*others, scaled_model_path(warehouse, key)),
        trial=tuple(table_path(warehouse, table, "trial", key) for table in PER_TRIAL),
        motion=tuple(table_path(warehouse, table, "trial", key) for table in PER_MOTION),
        rejected=tuple(table_path(warehouse, table, "trial", key) for table in PER_REJECTED),
        cycles=table_path(warehouse, "cycles", "trial", key),
    )


def trial_files(warehouse: Warehouse, key: TrialKey) -> tuple[str, ...]:
    """Every path at which a trial may have a file of its own, its row's first."""
    paths = trial_paths(warehouse, key)
    row = table_path(warehouse, "trials", "trial", key)
    return tuple(dict.fromkeys((row, *paths.trial, paths.cycles, *paths.motion, *paths.rejected)))


def session_files(warehouse: Warehouse, key: SessionKey) -> tuple[str, ...]:
    """Every path at which a session has a file of its own or its subject's."""
    return (*_session_tables(warehouse, key), scaled_model_path(warehouse, key))


def has_cycles(row: Stored) -> bool:
    """Whether a trial's row counts any gait cycle."""
    return bool(row.summary["n_cycles_right"] + row.summary["n_cycles_left"])


def is_imported(row: Stored) -> bool:
    """Whether the trial's cycles were imported: the data they were made from is not in the warehouse."""
    return "imported" in row.made_from


def is_session_fresh(warehouse: Warehouse, key: SessionKey, provenance_key: str) -> bool:
    """Whether the session's row has this provenance key, and its tables and scaled model are whole: all is read."""
    return is_fresh(warehouse, "sessions", key, provenance_key) and not _broken(warehouse, key)


def is_trial_fresh(warehouse: Warehouse, key: TrialKey, provenance_keys: Mapping[str, str]) -> bool:
    """Whether the trial's row and every table it vouches for are whole and have these provenance keys, by table.

    The row alone is not enough: a writer killed while it replaced a trial can leave tables of one recipe under the row
    of another. All is read.
    """
    try:
        row = stored(warehouse, "trials", key)
    except WarehouseError:
        return False
    if row.key != provenance_keys["trials"] or not are_tables_fresh(warehouse, row, provenance_keys):
        return False
    # Also what the row doesn't vouch for, the motion of a rejected trial say: else damage to it would never heal.
    own = (*PER_TRIAL, "cycles", *PER_MOTION, *PER_REJECTED)
    there = [table for table in own if exists(warehouse, table_path(warehouse, table, schema_of(table).level, key))]
    return all(_is_whole(warehouse, table, key) for table in {"trials", *_vouched_tables(row), *there})


def are_tables_fresh(warehouse: Warehouse, row: Stored, provenance_keys: Mapping[str, str]) -> bool:
    """Whether every table that a trial's row vouches for says that it has its provenance key, by table.

    Footers are read, and no content: whether that is whole is known when it is used, or by `damage.py`.
    """
    key = TrialKey(**row.identity)
    return all(is_fresh(warehouse, table, key, provenance_keys[table]) for table in _vouched_tables(row))


def _vouched_tables(row: Stored) -> tuple[str, ...]:
    if row.summary["outcome"] == "rejected":
        return ()
    if row.summary["outcome"] == "kinematics":
        return PER_MOTION
    return (*PER_TRIAL, *(("cycles",) if has_cycles(row) else ()))


def _session_tables(warehouse: Warehouse, key: SessionKey) -> tuple[str, ...]:
    return tuple(table_path(warehouse, t, schema_of(t).level, key) for t in ("subjects", *PER_SESSION))


def _is_whole(warehouse: Warehouse, table: str, key: SessionKey) -> bool:
    try:
        check_file(warehouse, table, table_path(warehouse, table, schema_of(table).level, key))
    except WarehouseError:
        return False
    return True


def _broken(warehouse: Warehouse, key: SessionKey) -> bool:
    """Whether a file of a session's can't be used."""
    try:
        read_scaled_model(warehouse, key)
    except WarehouseError:
        return True
    return not all(_is_whole(warehouse, table, key) for table in ("subjects", *PER_SESSION))
