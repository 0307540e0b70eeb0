from pathlib import Path

import pytest

from tests.warehouse.conftest import store_rejected_trial, store_trial_of_kinematics, store_whole_trial
from tests.warehouse.one_file import write_row
from tests.warehouse.samples import MADE, trial_row
from warehouse.errors import WarehouseError
from warehouse.holdings import status as status_module
from warehouse.holdings.status import status_text, warehouse_status
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse, table_path
from warehouse.schemas import schema_of


def a_key(subject: str, trial: str, cohort: str = "adults") -> TrialKey:
    return TrialKey(cohort=cohort, subject=subject, session="v1", trial=trial)


def reject(warehouse: Warehouse, key: TrialKey, stage: str, reason: str, condition: str = "slow") -> None:
    row = trial_row(
        outcome="rejected", stage=stage, reason=reason, condition=condition, n_cycles_right=0, n_cycles_left=0
    )
    write_row(warehouse, "trials", key, row, **MADE)


@pytest.fixture
def five_trials(warehouse: Warehouse, store_trial: object) -> Warehouse:
    store_trial(a_key("S1", "t1"))
    store_trial(a_key("S1", "t2"), condition="fast")
    store_trial(a_key("S2", "t1"))
    reject(warehouse, a_key("S2", "t2"), "ground_reactions", "S2_t2.c3d: plate 1 was hit by both feet")
    reject(warehouse, a_key("C1", "t1", "children"), "gaps", "RASI is missing for 1.0 s")
    return warehouse


def test_it_counts_outcomes_subjects_sessions_and_cycles(five_trials: Warehouse) -> None:
    found = warehouse_status(five_trials)
    assert len(found.accepted) == 3
    assert found.rejections_by_stage == {"gaps": 1, "ground_reactions": 1}
    assert (found.n_subjects, found.n_sessions, found.n_cycles) == (3, 3, (6, 3))
    assert found.unreadable == found.missing == found.orphans == ()


def test_the_report_begins_with_outcomes_and_gives_every_reason(five_trials: Warehouse) -> None:
    lines = status_text(warehouse_status(five_trials)).splitlines()
    assert lines[0] == "3 accepted, 2 rejected: 1 gaps, 1 ground reactions"
    assert lines[1].startswith("9 gait cycles (6 right, 3 left) of 3 subjects in 3 sessions")
    assert lines[3].split() == ["cohort", "condition", "accepted", "rejected", "cycles"]
    assert ["adults", "fast", "1", "0", "3"] in [line.split() for line in lines]
    assert ["adults", "slow", "2", "1", "6"] in [line.split() for line in lines]
    assert "  adults/S2/v1/t2  ground_reactions: S2_t2.c3d: plate 1 was hit by both feet" in lines


def test_without_rejections_it_says_so_plainly(warehouse: Warehouse, store_trial: object) -> None:
    store_trial(a_key("S1", "t1"))
    assert status_text(warehouse_status(warehouse)).splitlines()[0] == "1 accepted, 0 rejected"


def test_long_lists_are_cut_and_counted(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_module, "_SHOWN", 2)
    for number in range(5):
        reject(warehouse, a_key("S1", f"t{number}"), "gaps", f"reason {number}")
    text = status_text(warehouse_status(warehouse))
    assert "5 rejected:" in text
    assert text.endswith("… and 3 more")


def test_a_reason_that_trials_of_a_session_share_is_given_once(warehouse: Warehouse) -> None:
    for number in range(3):
        reject(warehouse, a_key("S1", f"t{number}"), "markers", f"t{number}.c3d: lacks the markers RASI")
    lines = status_text(warehouse_status(warehouse)).splitlines()
    assert lines[-2:] == ["3 rejected:", "  3 of adults/S1/v1: t0, t1, t2  markers: lacks the markers RASI"]


def test_an_accepted_trials_missing_file_is_named(five_trials: Warehouse) -> None:
    Path(table_path(five_trials, "moments", "trial", a_key("S1", "t1"))).unlink()
    assert warehouse_status(five_trials).missing == ("moments/adults/S1/v1/t1.parquet",)
    assert "1 missing, ingest their sessions again:" in status_text(warehouse_status(five_trials))


def test_cycles_of_a_trial_rejected_since_are_orphans(five_trials: Warehouse) -> None:
    reject(five_trials, a_key("S1", "t1"), "quality", "reserves of 30 %")
    orphans = warehouse_status(five_trials).orphans
    left = sorted(f"{table}/adults/S1/v1/t1.parquet" for table in (*status_module.PER_TRIAL, "cycles"))
    left.remove("strides/adults/S1/v1/t1.parquet")
    assert list(orphans) == left


def test_what_a_rejected_trial_keeps_is_no_orphan_and_an_accepted_ones_is(five_trials: Warehouse) -> None:
    store_rejected_trial(five_trials, a_key("S1", "t3"))
    assert warehouse_status(five_trials).orphans == ()
    store_whole_trial(five_trials, a_key("S1", "t3"))
    assert warehouse_status(five_trials).orphans == ("rejected_kinematics/adults/S1/v1/t3.parquet",)


def test_a_trial_of_kinematics_only_is_neither_accepted_nor_rejected(five_trials: Warehouse) -> None:
    store_trial_of_kinematics(five_trials, a_key("S1", "angles"))
    found = warehouse_status(five_trials)
    assert (len(found.accepted), len(found.of_kinematics), len(found.rejected)) == (3, 1, 2)
    assert found.n_cycles == (6, 3)
    assert found.orphans == found.missing == ()
    lines = status_text(found).splitlines()
    assert lines[0].startswith("3 accepted, 1 of kinematics only, 2 rejected")
    assert ["adults", "slow", "2", "1", "6"] in [line.split() for line in lines]
    Path(table_path(five_trials, "angle_cycles", "trial", a_key("S1", "angles"))).unlink()
    assert warehouse_status(five_trials).missing == ("angle_cycles/adults/S1/v1/angles.parquet",)


def test_files_that_no_trial_vouches_for_are_orphans(five_trials: Warehouse) -> None:
    Path(table_path(five_trials, "trials", "trial", a_key("S2", "t1"))).unlink()
    orphans = warehouse_status(five_trials).orphans
    assert "kinematics/adults/S2/v1/t1.parquet" in orphans
    assert "cycles/adults/S2/v1/t1.parquet" in orphans
    # The session's other trial still vouches for these.
    assert "sessions/adults/S2/v1.parquet" not in orphans


def test_a_damaged_trial_is_reported_and_the_rest_counted(five_trials: Warehouse) -> None:
    Path(table_path(five_trials, "trials", "trial", a_key("S1", "t1"))).write_bytes(b"")
    found = warehouse_status(five_trials)
    assert len(found.trials) == 4
    assert len(found.unreadable) == 1
    assert "S1/v1/t1.parquet is not a whole Parquet file" in found.unreadable[0]


def test_no_warehouse_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"no warehouse at .*typo"):
        warehouse_status(Warehouse(str(tmp_path / "typo")))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WarehouseError, match="is a file"):
        warehouse_status(Warehouse(str(tmp_path / "file")))


def test_the_parts_of_an_accepted_trial_are_all_known_tables(five_trials: Warehouse) -> None:
    for table in (*status_module.PER_TRIAL, *status_module.PER_SESSION):
        assert schema_of(table)
        Path(table_path(five_trials, table, schema_of(table).level, a_key("S1", "t2"))).unlink()
    assert len(warehouse_status(five_trials).missing) >= 8
