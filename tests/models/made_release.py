"""A real release of few made-up cycles, cut from a warehouse."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from reports.audit.release import audit_for_release
from tests.warehouse.conftest import store_whole_trial
from tests.warehouse.one_file import write_table
from tests.warehouse.samples import MADE, cycles_columns
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.release.build import ReleaseOrder, build_release
from warehouse.release.cycles_file import Sampling
from warehouse.release.selection import Selection
from warehouse.release.split import hold_out_named

Columns = Mapping[str, np.ndarray]


def unchanged(subject: str, columns: Columns) -> Columns:
    """Everything was measured."""
    return columns


def made_release(
    folder: Path,
    n_subjects: int = 5,
    change: Callable[[str, Columns], Columns] = unchanged,
    points: int | None = None,
    held_out: int = -1,
) -> str:
    """The release's folder: subjects S0, S1, … of `adults`, three cycles each, one held out (the last, if not told)."""
    warehouse = Warehouse(str(folder / "warehouse"))
    for number in range(n_subjects):
        key = TrialKey(cohort="adults", subject=f"S{number}", session="day1", trial="walk")
        store_whole_trial(warehouse, key, condition="slow")
        write_table(warehouse, "cycles", key, change(key.subject, cycles_columns(condition="slow")), **MADE)
    order = ReleaseOrder(
        name="tiny",
        selection=Selection(),
        sampling=Sampling(sides="both", points=points),
        split=lambda subjects: hold_out_named(subjects, [f"adults/S{range(n_subjects)[held_out]}"]),
        audit=audit_for_release,
        licence=None,
    )
    return build_release(warehouse, order).root.root
