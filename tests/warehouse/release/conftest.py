"""A small warehouse to cut releases from: two cohorts, five subjects, two conditions."""

import shutil
from collections.abc import Callable

import pytest

from tests.warehouse.conftest import store_whole_trial
from tests.warehouse.one_file import write_table
from tests.warehouse.samples import MADE, N_SAMPLES, cycles_columns, load_columns, nothing_suspicious
from warehouse.files import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.release.build import ReleaseOrder
from warehouse.release.cycles_file import Sampling
from warehouse.release.selection import Selection
from warehouse.release.split import hold_out_none

Order = Callable[..., ReleaseOrder]


def trial(cohort: str, subject: str, name: str = "walk") -> TrialKey:
    return TrialKey(cohort=cohort, subject=subject, session="day1", trial=name)


@pytest.fixture(scope="session")
def _once(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Storing is slow, since every file is flushed to the disk: done once, copied for each test."""
    warehouse = Warehouse(str(tmp_path_factory.mktemp("release") / "warehouse"))
    for subject in ("S01", "S02", "S03"):
        store_whole_trial(warehouse, trial("adults", subject, "walk_slow"), condition="slow")
    store_whole_trial(warehouse, trial("adults", "S01", "walk_fast"), condition="fast")
    for subject in ("S01", "K02"):
        store_whole_trial(warehouse, trial("children", subject), condition="free")
    return warehouse


@pytest.fixture
def filled(_once: Warehouse, warehouse: Warehouse) -> Warehouse:
    shutil.copytree(_once.base, warehouse.base)
    return warehouse


@pytest.fixture
def with_loads(filled: Warehouse) -> Warehouse:
    """The same, its cycles with the hip's contact force."""
    for found in read.trials(filled):
        columns = cycles_columns(condition=str(found.summary["condition"])) | load_columns(3 * N_SAMPLES)
        write_table(filled, "cycles", read.trial_key(found), columns, **MADE)
    return filled


@pytest.fixture
def order() -> Order:
    """What is asked for: everything as stored, but for what is named."""

    def make(**changes: object) -> ReleaseOrder:
        asked: dict[str, object] = {
            "name": "first",
            "selection": Selection(),
            "sampling": Sampling(sides="both", points=None),
            "split": hold_out_none,
            "audit": nothing_suspicious,
            "licence": None,
        }
        return ReleaseOrder(**(asked | changes))  # type: ignore[arg-type]

    return make
