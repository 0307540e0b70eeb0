"""What people get wrong with models: each is one clear line, exit code 2, and nothing is written or overwritten."""

import errno
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from typer.testing import CliRunner, Result

from flows import cli
from models.data.channels import ANGLE_CHANNELS
from tests.models.made_release import Columns, made_release
from tests.warehouse.samples import N_SAMPLES


def _run(*args: str) -> Result:
    return CliRunner().invoke(cli.app, list(args))


def _train(release: str, out: Path, *others: str) -> Result:
    words = ("--model", "ridge", "--task", "both", "--protocol", "holdout", "--recipe", "quick", "--no-track")
    return _run("train", release, "--output", str(out), *words, *others)


def _refused(done: Result, out: Path) -> str:
    """What was said; the run is not there, nor anything in its place."""
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert not out.exists()
    assert [file for file in out.parent.iterdir() if file.name.startswith(f".{out.name}")] == []
    assert not out.with_name(f"{out.name}.unfinished").exists()
    return done.stderr


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made_release(tmp_path_factory.mktemp("learning"))


def test_a_release_without_the_asked_target(tmp_path: Path) -> None:
    def without_moments(_subject: str, columns: Columns) -> Columns:
        return {name: np.full_like(values, np.nan) if "moment_" in name else values for name, values in columns.items()}

    lacking = made_release(tmp_path, change=without_moments)

    assert "has no moments; it has forces" in _refused(_train(lacking, tmp_path / "run"), tmp_path / "run")


def _with_a_hole(release: str) -> None:
    """Makes one angle of every cycle of S1 NaN, which no warehouse stores."""
    file = Path(release) / "cycles.parquet"
    table = pq.read_table(file)
    column = table.schema.get_field_index(ANGLE_CHANNELS[0].name)
    of_s1 = np.array(table["subject"].to_pylist()) == "S1"
    holed = np.where(of_s1 & (table["sample"].to_numpy() == 3), np.nan, table.column(column).to_numpy())
    pq.write_table(table.set_column(column, table.schema.field(column), pa.array(holed, type=pa.float32())), file)


def test_nan_in_a_release(tmp_path: Path) -> None:
    release = made_release(tmp_path)
    _with_a_hole(release)

    assert "cycles.parquet is not" in _refused(_train(release, tmp_path / "run"), tmp_path / "run")

    # Somebody else's program wrote it so, and vouched for it.
    manifest, file = Path(release) / "release.json", Path(release) / "cycles.parquet"
    entries = json.loads(manifest.read_text())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    entries["files"][file.name] = {"sha256": digest, "n_bytes": file.stat().st_size}
    manifest.write_text(json.dumps(entries))
    # Under a name that is no hash of it.
    release = str(Path(release).rename(tmp_path / "theirs"))

    said = _refused(_train(release, tmp_path / "run"), tmp_path / "run")
    assert "angles_deg: 3 of 15 cycles hold NaN or infinity (subjects: adults/S1)" in said


def test_cycles_without_all_targets_are_counted(tmp_path: Path) -> None:
    def some_without(subject: str, columns: Columns) -> Columns:
        holed = np.where(columns["sample"] == 3, np.nan, columns["force_tfl"])
        return {**columns, "force_tfl": holed} if subject == "S1" else columns

    done = _train(made_release(tmp_path, change=some_without), tmp_path / "run")

    assert done.exit_code == 0
    assert "3 of 15 cycles left out: not all of their targets are known" in done.stderr
    assert json.loads((tmp_path / "run" / "config.json").read_text())["origin"]["cycles_left_out"] == 3


def test_a_split_with_a_subject_on_both_sides(tmp_path: Path) -> None:
    release = made_release(tmp_path)
    file = Path(release) / "split.json"
    split = json.loads(file.read_text())
    file.write_text(json.dumps({**split, "test": [*split["test"], split["train"][0]]}))

    assert "split.json" in _refused(_train(release, tmp_path / "run"), tmp_path / "run")


def test_a_run_s_split_with_a_subject_on_both_sides(release: str, tmp_path: Path) -> None:
    assert _train(release, tmp_path / "run").exit_code == 0
    split = json.dumps({"train": ["adults/S0"], "test": ["adults/S0"]})
    (tmp_path / "run" / "split.json").write_text(split)

    done = _run("evaluate", str(tmp_path / "run"), "--release", release)

    assert done.exit_code == 2
    assert "subjects on both sides of the split: adults/S0" in done.stderr


def test_a_model_whose_channels_are_not_the_release_s(release: str, tmp_path: Path) -> None:
    assert _train(release, tmp_path / "run").exit_code == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    config["input_channels"][0]["name"] = "hip_flexion_l"
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))

    done = _run("evaluate", str(tmp_path / "run"), "--release", release, "-o", str(tmp_path / "out"))

    assert "input channels hip_flexion_l, " in _refused(done, tmp_path / "out")


def test_a_model_of_another_number_of_points(release: str, tmp_path: Path) -> None:
    assert _train(release, tmp_path / "run").exit_code == 0
    coarse = made_release(tmp_path, points=N_SAMPLES - 4, n_subjects=6)

    done = _run("evaluate", str(tmp_path / "run"), "--release", coarse, "-o", str(tmp_path / "out"))

    said = _refused(done, tmp_path / "out")
    assert f"reads cycles of {N_SAMPLES} points, and these have {N_SAMPLES - 4}. Cut the release with" in said


class _Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("was-run",)


def test_a_checkpoint_that_carries_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model_type": _Malicious()}, tmp_path / "LSTM.pt")

    done = _run("import", "checkpoint", str(tmp_path / "LSTM.pt"), "-o", str(tmp_path / "run"))

    assert "mkdir" in _refused(done, tmp_path / "run")
    assert not (tmp_path / "was-run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there(release: str, tmp_path: Path) -> None:
    said = _refused(_train(release, tmp_path / "run", "--device", "cuda"), tmp_path / "run")

    assert "no CUDA device was found here" in said


def test_fewer_subjects_than_folds(release: str, tmp_path: Path) -> None:
    done = _train(release, tmp_path / "run", "--model", "lstm", "--recipe", "gait2hip60")

    assert "5 folds need as many training subjects, and there are 4 (adults/S0" in _refused(done, tmp_path / "run")


def test_a_disk_that_is_full_when_the_run_is_written(
    release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    assert "the disk is full" in _refused(_train(release, tmp_path / "run"), tmp_path / "run")


def test_a_run_that_is_there_is_not_overwritten(release: str, tmp_path: Path) -> None:
    assert _train(release, tmp_path / "run").exit_code == 0
    before = (tmp_path / "run" / "model.safetensors").read_bytes()

    again = _train(release, tmp_path / "run", "--model", "mean_curve")

    assert again.exit_code == 2
    assert "exists already: nothing is overwritten" in again.stderr
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before


def test_a_folder_that_is_no_run_says_what_makes_one(tmp_path: Path) -> None:
    done = _run("export-model", str(tmp_path / "nowhere"), "--output", str(tmp_path / "out"))

    assert f"there is no trained run at {tmp_path / 'nowhere'}: it has no config.json" in _refused(
        done, tmp_path / "out"
    )
