from pathlib import Path

from warehouse.holdings.runs import IngestRun, last_run, remember_run
from warehouse.layout import Warehouse, run_path


def a_run(day: int, seconds: float = 30.0) -> IngestRun:
    began = f"2026-05-{day:02d}T08:00:00.000+00:00"
    return IngestRun(began=began, n_computed=6, n_fresh=0, seconds=seconds, workers=2)


def test_the_newest_run_is_found(warehouse: Warehouse) -> None:
    for run in (a_run(2), a_run(9, seconds=60.0), a_run(1)):
        remember_run(warehouse, run, process=7)

    found = last_run(warehouse)

    assert found == a_run(9, seconds=60.0)
    assert found.seconds_per_trial == 20.0


def test_two_runs_that_began_at_once_are_both_kept(warehouse: Warehouse) -> None:
    remember_run(warehouse, a_run(1), process=1)
    remember_run(warehouse, a_run(1), process=2)

    assert len(list(Path(warehouse.root, "runs").iterdir())) == 2


def test_what_can_t_be_read_is_passed_over(warehouse: Warehouse) -> None:
    assert last_run(warehouse) is None
    remember_run(warehouse, a_run(1), process=1)
    Path(run_path(warehouse, "2030-of-another-version")).write_text('{"began": 1}')

    assert last_run(warehouse) == a_run(1)
