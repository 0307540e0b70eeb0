"""`gait2hip predict`: every kind of input and output, and what it says when it can't."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import torch
from typer.testing import CliRunner, Result

from flows import cli
from models.data.cycles import Cycles, SubjectSplit
from models.predicting.calibrate import calibrate_run
from models.predicting.predict import predict
from models.predicting.trained_run import TrainedRun, read_run, write_run
from models.training.train_on_split import train_baseline, train_baseline_on_folds
from tests.models.samples import made_cycles, small_setup
from tests.pipeline.motion_only.test_kinematic_events import TIME_S, pendulum_legs
from tests.pipeline.motion_only.test_motion_file import table, write_csv, write_mot
from warehouse.channels import INPUT_COORDINATES
from warehouse.interchange.opensim_table import parse_table

CYCLES = made_cycles(n_subjects=20, n_points=24)
TARGET = "moment_hip_flexion"


def _predict(*args: object) -> Result:
    return CliRunner().invoke(cli.app, ["predict", *map(str, args)])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ridge regression with intervals, trained on made-up angles."""
    folder = tmp_path_factory.mktemp("runs") / "ridge"
    asked, split = small_setup("ridge"), SubjectSplit(train=CYCLES.subjects, test=())
    found = train_baseline(asked, CYCLES, split)
    fold_runs = train_baseline_on_folds(asked, CYCLES, split)
    write_run(folder, replace(calibrate_run(replace(found, fold_runs=fold_runs), CYCLES, asked.device), fold_runs=()))
    return folder


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    file = tmp_path / "x.npz"
    np.savez(file, allow_pickle=False, X=CYCLES.angles_deg[:5], in_cols=np.array(INPUT_COORDINATES))
    return file


@pytest.fixture
def mot(tmp_path: Path) -> Path:
    return write_mot(tmp_path / "walk.mot", pendulum_legs(), "inDegrees=yes")


def _expected(run: Path, cycles: Cycles) -> np.ndarray:
    return predict(read_run(run), cycles, torch.device("cpu"))


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_cycles_give_a_row_for_each_sequence_and_sample(run: Path, npz: Path, ending: str, tmp_path: Path) -> None:
    out = tmp_path / f"out.{ending}"

    done = _predict(npz, "--run", run, "-o", out)

    assert done.exit_code == 0, done.output
    assert "per body mass only" in done.stdout
    assert "90% intervals, told by 20 subjects" in done.stdout
    rows = pq.read_table(out) if ending == "parquet" else pa.csv.read_csv(out)
    assert rows.column("sequence").to_pylist() == np.repeat(np.arange(5), 24).tolist()
    assert rows.column("sample").to_pylist() == np.tile(np.arange(24), 5).tolist()
    expected = _expected(run, CYCLES.take(np.arange(5)))[..., 0].ravel()
    np.testing.assert_allclose(rows.column(TARGET).to_numpy(), expected, atol=1e-5)
    assert (rows.column(f"{TARGET}_low").to_numpy() < expected).all()
    assert f"{TARGET}_nm" not in rows.column_names


def test_cycles_of_another_number_of_points_keep_theirs(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.npz"
    finer = np.repeat(np.linspace(0, 30, 90)[None, :, None], 10, axis=2)
    np.savez(file, allow_pickle=False, X=finer, in_cols=np.array(INPUT_COORDINATES))

    assert _predict(file, "--run", run, "-o", tmp_path / "out.parquet", "--mass-kg", "70").exit_code == 0

    rows = pq.read_table(tmp_path / "out.parquet")
    assert rows.num_rows == 90
    np.testing.assert_allclose(rows.column(f"{TARGET}_nm").to_numpy(), 70 * rows.column(TARGET).to_numpy())


def test_a_motion_gives_both_legs_over_time_and_by_cycle(run: Path, mot: Path, tmp_path: Path) -> None:
    done = _predict(mot, "--run", run, "-o", tmp_path / "out.parquet", "--mass-kg", "70")

    assert done.exit_code == 0, done.output
    assert "walk: 3 right and 3 left gait cycles" in done.stdout
    cycles = pq.read_table(tmp_path / "out_cycles.parquet").to_pandas()
    assert cycles.groupby("side").cycle.nunique().to_dict() == {"left": 3, "right": 3}
    assert len(cycles) == 6 * 24
    frames = pq.read_table(tmp_path / "out.parquet").to_pandas()
    right = frames[frames.side == "right"]
    np.testing.assert_allclose(right.time_s, TIME_S)
    first, last = cycles[cycles.side == "right"].start_s.min(), cycles[cycles.side == "right"].stop_s.max()
    known = (right.time_s >= first) & (right.time_s <= last)
    assert right[TARGET].notna().tolist() == known.tolist()
    np.testing.assert_allclose(right[f"{TARGET}_nm"], 70 * right[TARGET])
    # The legs swing alike, half a cycle apart: so do their moments.
    left = cycles[(cycles.side == "left") & (cycles.cycle == 0)]
    np.testing.assert_allclose(left[TARGET], cycles[(cycles.side == "right") & (cycles.cycle == 0)][TARGET], atol=1e-3)


def test_strides_that_turn_are_named_and_marked(run: Path, mot: Path, tmp_path: Path) -> None:
    turning = np.column_stack([pendulum_legs(), 40 * np.maximum(0, TIME_S - 2)])
    file = write_mot(tmp_path / "turn.mot", turning, "inDegrees=yes", (*INPUT_COORDINATES, "pelvis_rotation"))

    done = _predict(file, "--run", run, "-o", tmp_path / "out.parquet")

    assert done.exit_code == 0, done.output
    cycles = pq.read_table(tmp_path / "out_cycles.parquet").to_pandas().drop_duplicates(["side", "cycle"])
    turns = cycles[cycles.heading_change_deg > 20]
    assert 0 < len(turns) < len(cycles)
    assert f"{len(turns)} of {len(cycles)} cycles turn: leave them out of means" in done.stdout
    for stride in turns.itertuples():
        assert (
            f"turn: {stride.side} stride at {stride.start_s:.2f} s turns {stride.heading_change_deg:.0f}°"
            in done.stdout
        )
    frames = pq.read_table(tmp_path / "out.parquet").to_pandas()
    for side, of_leg in frames.groupby("side"):
        begins = turns[turns.side == side].start_s.min()
        assert (of_leg[of_leg.turns].time_s >= begins - 1e-6).all()
    assert frames.turns.any()
    unknown = _predict(mot, "--run", run, "-o", tmp_path / "unknown.parquet")
    assert "whether strides turn isn't known: nothing tells where the pelvis faces" in unknown.stdout


def test_motion_that_the_run_has_never_seen_is_said_to_be(run: Path, mot: Path, tmp_path: Path) -> None:
    done = _predict(mot, "--run", run, "-o", tmp_path / "out.parquet")

    # Eight of the pendulums' angles never move, which no training subject's do.
    cycles = pq.read_table(tmp_path / "out_cycles.parquet").to_pandas()
    assert "OUTSIDE what the run has seen: 6 of 6 cycles" in done.stdout
    assert cycles.outside.all()
    known = _predict(_npz_of(CYCLES, tmp_path), "--run", run, "-o", tmp_path / "known.parquet")
    assert pq.read_table(tmp_path / "known.parquet").to_pandas().outside.mean() < 0.2, known.stdout


def test_an_opensim_table_holds_one_walk_over_time(run: Path, mot: Path, npz: Path, tmp_path: Path) -> None:
    done = _predict(mot, "--run", run, "-o", tmp_path / "out.sto", "--mass-kg", "70")

    assert done.exit_code == 0, done.output
    found = parse_table("out.sto", (tmp_path / "out.sto").read_text())
    assert {f"{TARGET}_r", f"{TARGET}_l", f"{TARGET}_r_low"} <= set(found.columns)
    assert np.isfinite(found.numbers([f"{TARGET}_r"])).any()
    refused = _predict(npz, "--run", run, "-o", tmp_path / "cycles.sto")
    assert refused.exit_code == 2
    assert "need time" in refused.stderr


def test_a_table_of_angles_is_read_by_its_units(run: Path, tmp_path: Path) -> None:
    names = ["time_s", *(f"{name}_deg" for name in INPUT_COORDINATES)]
    file = write_csv(tmp_path / "walk.csv", names, table(pendulum_legs()))

    done = _predict(file, "--run", run, "-o", tmp_path / "out.csv")

    assert done.exit_code == 0, done.output
    assert (tmp_path / "out_cycles.csv").exists()


def test_a_table_that_could_be_a_walk_or_cycles_is_refused(run: Path, tmp_path: Path) -> None:
    names = ["time_s", *(f"{name}_deg" for name in INPUT_COORDINATES), "sample"]
    walk = table(pendulum_legs())
    file = write_csv(tmp_path / "walk.csv", names, np.column_stack([walk, np.arange(len(walk))]))

    done = _predict(file, "--run", run, "-o", tmp_path / "out.csv")

    assert done.exit_code == 2
    assert "has both time_s, which a walk over time has, and sample, which cycles have" in done.stderr


def test_a_release_s_own_csv_is_cycles(run: Path, tmp_path: Path) -> None:
    some = CYCLES.take(np.arange(3))
    columns = {
        "mass_kg": np.repeat(some.mass_kg, 24),
        "sample": np.tile(np.arange(24), 3),
        **{name: some.angles_deg[:, :, index].ravel() for index, name in enumerate(INPUT_COORDINATES)},
    }
    pa.csv.write_csv(pa.table(columns), tmp_path / "cycles.csv")

    done = _predict(tmp_path / "cycles.csv", "--run", run, "-o", tmp_path / "out.parquet")

    assert done.exit_code == 0, done.output
    rows = pq.read_table(tmp_path / "out.parquet")
    np.testing.assert_allclose(rows.column(TARGET).to_numpy(), _expected(run, some)[..., 0].ravel(), atol=1e-5)
    again = _predict(tmp_path / "cycles.csv", "--run", run, "-o", tmp_path / "b.parquet", "--mass-kg", "70")
    assert "says its subjects' masses: leave --mass-kg out" in again.stderr


def test_a_run_without_intervals_says_so(npz: Path, tmp_path: Path) -> None:
    asked = small_setup("ridge")
    write_run(tmp_path / "bare", train_baseline(asked, CYCLES, SubjectSplit(train=CYCLES.subjects[:4], test=())))

    done = _predict(npz, "--run", tmp_path / "bare", "-o", tmp_path / "out.parquet")

    assert done.exit_code == 0, done.output
    assert "no intervals: the run has none" in done.stdout
    assert "The run can't tell" in done.stdout
    assert not [name for name in pq.read_table(tmp_path / "out.parquet").column_names if "_low" in name]


def test_an_input_that_is_not_known_is_named(npz: Path, tmp_path: Path) -> None:
    tall: TrainedRun = train_baseline(
        small_setup("ridge", inputs=("angles", "height")), CYCLES, SubjectSplit(train=CYCLES.subjects[:4], test=())
    )
    write_run(tmp_path / "tall", tall)

    done = _predict(npz, "--run", tmp_path / "tall", "-o", tmp_path / "out.parquet")

    assert done.exit_code == 2
    assert "input 'height' is unknown for 5 cycles" in done.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["-o", "out.xlsx"], "unknown ending: expected .parquet, .csv, .sto"),
        (["-o", "there.parquet"], "exists already"),
        (["-o", "beside.parquet"], "beside_cycles.parquet exists already"),
        (["-o", "out.csv", "--mass-kg", "0"], "--mass-kg 0: expected 10-250 kg"),
        (["-o", "out.csv", "--session", "session.toml"], "--session says whose a .c3d or .trc file is"),
        (["-o", "out.csv", "--run", "no/run"], "no/run"),
        (["-o", "out.csv", "--model", "mine.osim"], "--model follows the markers of a .c3d, a .trc or a session"),
        (["-o", "out.csv", "--recipe", "gait2hip60"], "--recipe says how cycles are cut"),
    ],
)
def test_what_can_t_be_done_is_said_before_anything_is_written(
    run: Path, npz: Path, options: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("there.parquet", "beside_cycles.parquet"):
        (tmp_path / name).write_bytes(b"mine")
    before = sorted(tmp_path.iterdir())

    done = _predict(npz, "--run", run, *options)

    assert done.exit_code == 2
    assert complaint in done.stderr
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "there.parquet").read_bytes() == b"mine"


def test_a_motion_has_no_markers_for_a_model_to_follow(run: Path, mot: Path, tmp_path: Path) -> None:
    done = _predict(mot, "--run", run, "-o", tmp_path / "a.csv", "--model", "mine.osim")
    # Its cycles are cut by a recipe, though.
    cut = _predict(mot, "--run", run, "-o", tmp_path / "b.csv", "--recipe", "gait2hip60")

    assert done.exit_code == 2
    assert "walk.mot is neither" in done.stderr
    assert cut.exit_code == 0, cut.output


def test_inputs_of_no_known_kind_are_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "walk.txt").write_text("")
    (tmp_path / "lost.c3d").write_bytes(b"")

    for name, complaint in (
        ("walk.txt", "unknown kind"),
        ("absent.mot", "does not exist"),
        ("lost.c3d", "init-session"),
    ):
        done = _predict(tmp_path / name, "--run", run, "-o", tmp_path / "out.csv")
        assert done.exit_code == 2
        assert complaint in done.stderr


@pytest.mark.osim
@pytest.mark.data
def test_a_recorded_walk_is_predicted_without_its_plates(run: Path, shared_data: Path, tmp_path: Path) -> None:
    adult = shared_data / "walking_adults" / "2014004"
    session = tmp_path / "S04.toml"
    who = ["--subject", "S04", "--mass-kg", "72.5", "--height-m", "1.77", "--cohort", "adults"]
    made = CliRunner().invoke(cli.app, ["init-session", str(adult), *who, "--condition", "*=walk", "-o", str(session)])
    assert made.exit_code == 0, made.stderr

    done = _predict(adult / "2014004_C4_02.c3d", "--session", session, "--run", run, "-o", tmp_path / "out.parquet")

    assert done.exit_code == 0, done.output
    assert "2014004_C4_02: 1 right and 1 left gait cycles" in done.stdout
    frames = pq.read_table(tmp_path / "out.parquet").to_pandas()
    known = frames[frames[TARGET].notna()]
    assert set(known.side) == {"right", "left"}
    np.testing.assert_allclose(known[f"{TARGET}_nm"], 72.5 * known[TARGET])
    told = _predict(
        adult / "2014004_C4_02.c3d", "--session", session, "--run", run, "-o", tmp_path / "b.csv", "--mass-kg", "80"
    )
    assert "says 72.5 kg: leave --mass-kg out" in told.stderr


def _npz_of(cycles: Cycles, folder: Path) -> Path:
    file = folder / "known.npz"
    np.savez(file, allow_pickle=False, X=cycles.angles_deg, in_cols=np.array(INPUT_COORDINATES))
    return file


@pytest.mark.data
def test_a_published_checkpoint_predicts_what_its_authors_script_does(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "gait2hip60"
    expected = np.load(folder / "expected_predictions.npz")
    checkpoint = folder / "checkpoints" / "LSTM_MF60.pt"
    imported = CliRunner().invoke(cli.app, ["import", "checkpoint", str(checkpoint), "-o", str(tmp_path / "lstm")])
    assert imported.exit_code == 0, imported.stderr
    np.savez(tmp_path / "x.npz", allow_pickle=False, X=expected["X"], in_cols=np.array(INPUT_COORDINATES))

    done = _predict(tmp_path / "x.npz", "--run", tmp_path / "lstm", "-o", tmp_path / "out.parquet")

    assert done.exit_code == 0, done.output
    rows = pq.read_table(tmp_path / "out.parquet")
    names = [name for name in rows.column_names if name.startswith("force_")]
    found = np.stack([rows.column(name).to_numpy() for name in names], axis=1).reshape(12, 180, 14)
    # Muscles don't push: what the script has below zero is written as zero.
    np.testing.assert_allclose(found, np.maximum(expected["LSTM_MF60"], 0), atol=1e-4)
