import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.ground.cycles import LostStride
from pipeline.osim.version import opensim_version
from pipeline.solving.engine import MuscleSource
from pipeline.solving.judged_strides import (
    SolvedButRejected,
    judged_by_forces,
    judged_by_motion,
    no_stride_stands,
)
from pipeline.solving.quality import residual_ratios
from pipeline.solving.trial_result import TrialResult
from pipeline.storing.job import Job, open_job
from pipeline.storing.stages import StageAccount, common_facts, table_keys
from pipeline.storing.store_rejected import record_crash, record_rejection, store_rejected
from pipeline.storing.store_solved import solved_files
from pipeline.storing.store_trial import store_accepted
from pipeline.storing.stored_kinematics import read_kinematics
from tests.pipeline.session.test_session import COMPLETE
from tests.pipeline.solutions import LEFT, NAMES, RIGHT, TIME_S, a_solution, joint_moments, made_angles, wrenches_known
from tests.pipeline.storing.test_job import request_of, trial_keys
from tests.warehouse.one_file import remove_table
from warehouse.channels import INPUT_COORDINATES, LOAD_CHANNELS, MOMENT_COORDINATES, MUSCLE_GROUPS, ipsilateral
from warehouse.errors import WarehouseError
from warehouse.files.read import cycles, read_row, read_table, stored
from warehouse.holdings.contents import is_trial_fresh
from warehouse.outcome import Rejection

POINTS = 11
# The right foot's reaction is known in the first half, the left one's from 0.4 s on.
KNOWN = wrenches_known(slice(0, 50), slice(40, None))
for _wrench in KNOWN.values():
    _wrench.force_n[:, 1] = 400.0
LOST = LostStride(side="right", start_s=0.5, stop_s=1.0, stage="cycles", why="has 2 toe offs")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A session of two walks, of which the first sizes the body."""
    (tmp_path / "session.toml").write_text(COMPLETE.replace("static =", 'sizing = ["walk 01.c3d"]\nstatic ='))
    for name in ("static.c3d", "walk 01.c3d", "walk_02.c3d", "model.osim"):
        (tmp_path / name).write_text(name)
    return open_job(request_of(tmp_path))


@pytest.fixture
def result(walker, recipe, job) -> TrialResult:
    """A right and a left stride of a model whose angles stand at half a radian."""
    from pipeline.ground.cycles import Cycle

    solution = a_solution({**joint_moments(), "pelvis_ty": 5.0}, {"hip_flexion_r": 2.0}, {"hip_flexion_l": 0.5})
    solution.kinematics.coordinates.values[:] = 0.5
    channels = [
        *(ipsilateral(name) for name in INPUT_COORDINATES),
        *(f"force_{group}" for group in MUSCLE_GROUPS),
        *(f"moment_{name.removesuffix('_r')}" for name in MOMENT_COORDINATES),
        *LOAD_CHANNELS,
    ]
    subject = job.setup.session.subject
    judged = judged_by_motion([RIGHT, LOST, LEFT], solution.kinematics, (), {}, recipe.quality)
    judged = judged_by_forces(judged, solution, KNOWN, subject, recipe.quality)
    return TrialResult(
        recording=walker.recording(),
        solution=solution,
        angles=made_angles(),
        wrenches=KNOWN,
        cycles=tuple(
            Cycle(stride=stride, phase=np.linspace(0, 1, POINTS), channels={n: np.full(POINTS, 1.5) for n in channels})
            for stride in (RIGHT, LEFT, LEFT)
        ),
        judged=judged,
        residuals=residual_ratios(solution, KNOWN, subject, np.ones(len(TIME_S), dtype=bool)),
        impulse_error=-0.02,
        plates=None,
        speed_m_s=1.2,
        warnings=("one thing", "another"),
    )


def accept(job: Job, result: TrialResult, trial: str = "walk_01"):
    return store_accepted(job, trial, job.trial_accounts(trial), result)


def column(job: Job, table: str, name: str) -> np.ndarray:
    return np.asarray(read_table(job.warehouse, table, job.setup.session.trial_key("walk_01"), [name])[name])


def test_an_accepted_trial_is_fresh_and_says_what_it_holds(job, result):
    outcome = accept(job, result)
    assert (outcome.accepted, outcome.n_cycles) == (True, 3)
    assert is_trial_fresh(job.warehouse, outcome.key, table_keys(trial_keys(job, "walk_01")))
    row = read_row(job.warehouse, "trials", outcome.key)
    expected = {
        "outcome": "accepted",
        "condition": "slow",
        "source": "walk 01.c3d",
        "n_cycles_right": 1,
        "n_cycles_left": 2,
        "n_frames": 260,
        "duration_s": 2.6,
        # A stride of half a second is two steps.
        "cadence_steps_per_min": 240.0,
        "vertical_impulse_ratio": 0.98,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected)
    assert row["warnings"] == ["one thing", "another"]
    assert row["reserve_ratio_max"] == pytest.approx(0.02)
    assert row["balance_ratio_max"] == pytest.approx(0.005)


def test_every_table_keeps_the_key_of_the_stage_that_made_it(job, result):
    key, keys = accept(job, result).key, trial_keys(job, "walk_01")
    made = {
        "kinematics": "inverse_kinematics",
        "joint_angles": "joint_angles",
        "grf": "ground_reactions",
        "moments": "inverse_dynamics",
        # Which strides have forces depends on the quality gates.
        "forces": "quality",
        "activations": "quality",
        "joint_loads": "quality",
        "cycles": "quality",
        "trials": "quality",
    }
    assert {table: stored(job.warehouse, table, key).key for table in made} == {t: keys[s] for t, s in made.items()}


def test_cycles_and_their_row_say_what_a_training_set_must_share(job, result):
    accept(job, result)

    key = job.setup.session.trial_key("walk_01")
    expected = common_facts(job.setup.recipe, opensim_version(), result.solution.muscle_source)
    assert stored(job.warehouse, "cycles", key).made_from == expected
    row = stored(job.warehouse, "trials", key).made_from
    assert {name: row[name] for name in expected} == expected
    assert row["stages"]["quality"]["key"] == trial_keys(job, "walk_01")["quality"]


def test_muscles_that_opensim_was_asked_for_are_not_told_as_corrected(job, result):
    asked = MuscleSource(asked=("paths",), why=("muscle front, wrapping surface egg: a WrapEllipsoid",))
    accept(job, replace(result, solution=replace(result.solution, muscle_source=asked)))
    made_from = stored(job.warehouse, "cycles", job.setup.session.trial_key("walk_01")).made_from
    assert made_from["settings"]["model"]["mechanics"] == "corrected, but muscles' paths as OpenSim has them"


def test_angles_are_stored_in_degrees(job, result):
    accept(job, result)
    assert column(job, "kinematics", "hip_flexion_r") == pytest.approx(np.degrees(0.5))
    schema = read_table(job.warehouse, "kinematics", job.setup.session.trial_key("walk_01")).schema
    assert schema.field("hip_flexion_r").metadata[b"unit"] == b"degree"


def test_laboratory_angles_are_stored_with_what_is_not_known_of_them(job, result):
    accept(job, result)
    assert column(job, "joint_angles", "time_s").tolist() == TIME_S.tolist()
    assert set(column(job, "joint_angles", "pig_pelvis_tilt")) == {0.0}
    assert set(column(job, "joint_angles", "pig_pelvis_obliquity_r")) == {1.0}
    assert np.isnan(column(job, "joint_angles", "isb_ankle_inversion_l")).all()


def test_moments_are_missing_where_their_foots_reaction_is(job, result):
    accept(job, result)
    right, left = column(job, "moments", "hip_flexion_r"), column(job, "moments", "hip_flexion_l")
    assert np.isfinite(right).tolist() == (np.arange(len(TIME_S)) < 50).tolist()
    assert np.isfinite(left).tolist() == (np.arange(len(TIME_S)) >= 40).tolist()
    assert set(right[:50]) == {100.0}
    both = np.isfinite(column(job, "moments", "residual_pelvis_ty"))
    assert np.flatnonzero(both).tolist() == list(range(40, 50))


def test_muscle_forces_are_missing_outside_the_strides_of_their_leg(job, result):
    accept(job, result)
    seconds = column(job, "forces", "time_s")
    assert np.isfinite(column(job, "forces", "soleus_r")).tolist() == (seconds < 0.5 - 1e-6).tolist()
    during = (seconds > 0.5 - 1e-6) & (seconds < 1 - 1e-6)
    assert np.isfinite(column(job, "activations", "soleus_l")).tolist() == during.tolist()
    assert set(column(job, "forces", "reserve_hip_flexion_r")[seconds < 0.49]) == {2.0}


def test_joint_loads_are_missing_outside_the_strides_of_their_leg(job, result):
    accept(job, result)
    seconds = column(job, "joint_loads", "time_s")
    during = {"r": seconds < 0.5 - 1e-6, "l": (seconds > 0.5 - 1e-6) & (seconds < 1 - 1e-6)}
    for number, joint in enumerate(("hip_r", "knee_r", "ankle_r", "hip_l", "knee_l", "ankle_l")):
        for factor, axis in ((1, "x"), (10, "y"), (100, "z")):
            values = column(job, "joint_loads", f"{joint}_distal_{axis}")
            assert np.isfinite(values).tolist() == during[joint[-1]].tolist()
            assert set(values[during[joint[-1]]]) == {number * factor}
            twice = column(job, "joint_loads", f"{joint}_proximal_{axis}")
            np.testing.assert_array_equal(twice, 2 * values)


def test_the_loads_of_a_joint_that_the_model_lacks_are_not_known(job, result):
    loads = result.solution.loads
    hips = replace(
        loads,
        joints=("hip_l",),
        in_distal_n=loads.in_distal_n[:, 3:4],
        in_proximal_n=loads.in_proximal_n[:, 3:4],
    )
    accept(job, replace(result, solution=replace(result.solution, loads=hips)))
    assert np.isfinite(column(job, "joint_loads", "hip_l_distal_x")).sum() == 50
    assert np.isnan(column(job, "joint_loads", "hip_r_distal_x")).all()
    assert np.isnan(column(job, "joint_loads", "knee_l_proximal_z")).all()


def test_cycles_are_numbered_by_leg(job, result):
    key = accept(job, result).key
    table = read_table(job.warehouse, "cycles", key, ["side", "cycle", "sample", "phase", "mass_kg", "load_hip"])
    rows = table.to_pylist()
    assert len(rows) == 3 * POINTS
    assert [(row["side"], row["cycle"]) for row in rows[::POINTS]] == [("right", 0), ("left", 0), ("left", 1)]
    assert [row["sample"] for row in rows[:POINTS]] == list(range(POINTS))
    assert {(row["mass_kg"], row["load_hip"]) for row in rows} == {(70.0, 1.5)}


def test_the_same_result_is_the_same_bytes(job, result):
    accept(job, result)
    root = Path(job.warehouse.root)
    before = {path: path.read_bytes() for path in root.rglob("*.parquet")}
    accept(job, result)
    assert {path: path.read_bytes() for path in root.rglob("*.parquet")} == before
    assert len(before) == 10


def test_a_rejection_is_stored_with_stage_reason_and_log(job):
    rejection = Rejection(stage="markers", reason="walk 01.c3d: lacks R_FCC.", log="the last line")
    outcome = store_rejected(job, "walk_01", rejection, job.trial_accounts("walk_01"))
    assert outcome.rejection == rejection
    row = read_row(job.warehouse, "trials", outcome.key)
    expected = {"outcome": "rejected", "stage": "markers", "log": "the last line", "source": "walk 01.c3d"}
    assert {name: row[name] for name in expected} == expected
    assert (row["n_cycles_right"], row["n_cycles_left"]) == (0, 0)
    assert is_trial_fresh(job.warehouse, outcome.key, table_keys(trial_keys(job, "walk_01")))


def test_each_strides_fate_is_stored(job, result):
    key = accept(job, result).key
    columns = ["side", "number", "kept", "stage", "reason", "marker_error_m", "reserve_ratio", "worst_marker"]
    first, second, third = read_table(job.warehouse, "strides", key, columns).to_pylist()
    assert (first["side"], first["number"], first["kept"], first["stage"]) == ("right", 1, True, "")
    assert (first["marker_error_m"], first["worst_marker"]) == (pytest.approx(0.01), "R_IAS")
    assert first["reserve_ratio"] == pytest.approx(0.02)
    assert [one["number"] for one in (second, third) if one["side"] == "right"] == [2]
    (lost,) = [one for one in (second, third) if not one["kept"]]
    assert (lost["stage"], lost["reason"], lost["worst_marker"]) == ("cycles", "has 2 toe offs", "")
    assert np.isnan(lost["marker_error_m"]) and np.isnan(lost["reserve_ratio"])


def solved_but_rejected(result: TrialResult) -> SolvedButRejected:
    return no_stride_stands("walk 01.c3d", result.solution.kinematics, result.judged)


def reject_solved(job: Job, result: TrialResult, **changed: StageAccount):
    rejected, accounts = solved_but_rejected(result), job.trial_accounts("walk_01") | changed
    rejection = Rejection(stage=rejected.stage, reason=rejected.reason)
    return store_rejected(job, "walk_01", rejection, accounts, solved_files(job, "walk_01", accounts, rejected))


def test_a_rejected_trial_keeps_its_motion_where_no_reader_of_accepted_ones_looks(job, result):
    accept(job, result)
    key = reject_solved(job, result).key

    motion = read_table(job.warehouse, "rejected_kinematics", key, ["hip_flexion_r", "error_R_IAS"])
    assert motion["hip_flexion_r"].to_numpy() == pytest.approx(np.degrees(0.5))
    assert motion["error_R_IAS"].to_numpy() == pytest.approx(0.01)
    assert len(read_table(job.warehouse, "strides", key)) == 3
    for table in ("kinematics", "joint_angles", "moments", "forces", "cycles"):
        with pytest.raises(WarehouseError, match="does not exist"):
            read_table(job.warehouse, table, key)
    assert len(cycles(job.warehouse)) == 0
    assert is_trial_fresh(job.warehouse, key, table_keys(trial_keys(job, "walk_01")))
    # Judged again by other limits, it need not be solved again.
    known = read_kinematics(job.warehouse, key, trial_keys(job, "walk_01"))
    assert known is not None and np.array_equal(known.coordinates.values, result.solution.kinematics.coordinates.values)


def test_what_a_rejected_trial_kept_goes_when_it_is_accepted_or_refused_earlier(job, result):
    # By stricter limits, say.
    reject_solved(job, result, quality=StageAccount(key="stricter", made_from={}))
    key = accept(job, result).key
    with pytest.raises(WarehouseError, match="does not exist"):
        read_table(job.warehouse, "rejected_kinematics", key)
    reject_solved(job, result)
    store_rejected(job, "walk_01", Rejection(stage="markers", reason="x"), job.trial_accounts("walk_01"))
    for table in ("rejected_kinematics", "strides"):
        with pytest.raises(WarehouseError, match="does not exist"):
            read_table(job.warehouse, table, key)


def test_a_rejection_takes_away_what_the_trial_gave_before_and_nothing_else(job, result):
    other = accept(job, result, "walk_02").key
    key = accept(job, result).key
    rejection = Rejection(stage="markers", reason="walk 01.c3d: lacks R_FCC.")
    store_rejected(job, "walk_01", rejection, job.trial_accounts("walk_01"))
    for table in (
        "strides",
        "kinematics",
        "joint_angles",
        "grf",
        "moments",
        "forces",
        "activations",
        "joint_loads",
        "cycles",
    ):
        with pytest.raises(WarehouseError, match="does not exist"):
            read_table(job.warehouse, table, key)
    assert is_trial_fresh(job.warehouse, other, table_keys(trial_keys(job, "walk_02")))
    assert set(cycles(job.warehouse, columns=["trial"])["trial"].to_pylist()) == {"walk_02"}


@pytest.fixture
def dies_after(monkeypatch) -> Callable[[int], None]:
    """A writer that is interrupted when this many of its files have taken their names."""

    def arm(count: int) -> None:
        replace, left = Path.replace, iter(range(count))

        def dies(self: Path, target: Path) -> Path:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", dies)

    return arm


@pytest.mark.parametrize("stored", range(10))
def test_a_trial_whose_writer_died_is_not_fresh(job, result, dies_after, stored):
    dies_after(stored)
    with pytest.raises(KeyboardInterrupt):
        accept(job, result)
    assert len(list(Path(job.warehouse.base).rglob("walk_01.parquet"))) == stored
    assert not is_trial_fresh(
        job.warehouse, job.setup.session.trial_key("walk_01"), table_keys(trial_keys(job, "walk_01"))
    )


@pytest.mark.parametrize("stored", range(10))
def test_a_writer_that_dies_over_an_accepted_trial_leaves_no_mixture(job, result, dies_after, stored):
    key = accept(job, result).key
    remove_table(job.warehouse, "forces", key)
    dies_after(stored)
    with pytest.raises(KeyboardInterrupt):
        accept(job, result)
    assert not is_trial_fresh(job.warehouse, key, table_keys(trial_keys(job, "walk_01")))
    assert cycles(job.warehouse, columns=["trial"]).num_rows == 0


@pytest.mark.parametrize("fits", range(9))
def test_a_disk_that_fills_up_leaves_the_earlier_trial_as_it_was(job, result, monkeypatch, fits):
    key = accept(job, result).key
    files = {path: path.read_bytes() for path in Path(job.warehouse.base).rglob("*.parquet")}
    setup = replace(job.setup, recipe=job.setup.recipe.model_copy(update={"name": "newer"}))
    newer = replace(job, setup=setup)
    fsync, left = os.fsync, iter(range(fits))

    def full(descriptor: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    keys = {stage: StageAccount(key="f" * 32, made_from={}) for stage in newer.trial_accounts("walk_01")}
    with pytest.raises(WarehouseError, match=r"can't write .*walk_01\.parquet: the disk is full\. Free some space"):
        store_accepted(newer, "walk_01", keys, result)
    monkeypatch.undo()
    assert {path: path.read_bytes() for path in Path(job.warehouse.base).rglob("*.parquet")} == files
    assert stored(job.warehouse, "trials", key).recipe == "gait2hip60"


def test_what_another_process_stored_meanwhile_is_left_alone(job, result, monkeypatch):
    key = accept(job, result).key
    monkeypatch.setattr("pipeline.storing.store_trial.write_together", None)
    assert accept(job, result).key == key


def test_a_crash_leaves_an_accepted_result_alone(job, result):
    key = accept(job, result).key
    request, crash = request_of(job.setup.session.file.parent), Rejection(stage="ingest_trial", reason="it crashed.")
    outcome = record_crash(request, "walk_01", crash)
    assert outcome.rejection is not None
    assert outcome.rejection.reason == "it crashed. The earlier result was kept."
    assert is_trial_fresh(job.warehouse, key, table_keys(trial_keys(job, "walk_01")))
    crashed = record_crash(request, "walk_02", crash)
    assert read_row(job.warehouse, "trials", crashed.key)["reason"] == "it crashed."
    assert not is_trial_fresh(job.warehouse, crashed.key, table_keys(trial_keys(job, "walk_02")))


def test_a_refused_static_trial_replaces_what_its_trials_gave(job, result):
    key = accept(job, result).key
    refused = Rejection(stage="scaling", reason="standing weighs 67 kg, but 80 kg are stated.")
    record_rejection(request_of(job.setup.session.file.parent), "walk_01", refused)
    assert read_row(job.warehouse, "trials", key)["outcome"] == "rejected"
    assert cycles(job.warehouse, columns=["trial"]).num_rows == 0


def test_every_joint_of_the_result_is_stored(job, result):
    key = accept(job, result).key
    assert set(NAMES) <= set(read_table(job.warehouse, "kinematics", key).column_names)
    stated = set(read_table(job.warehouse, "moments", key).column_names)
    assert {f"residual_{name}" if name.startswith("pelvis") else name for name in NAMES} <= stated
