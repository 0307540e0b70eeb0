"""A run's folder: whole or not there, the same when read, and damage named."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from models.predicting.predict import predict
from models.predicting.trained_run import CONFIG, WEIGHTS, TrainedRun, check_fits, read_run, write_run
from models.training.train_on_split import train_baseline, train_by_early_stopping
from tests.models.samples import halves, made_cycles, small_setup
from warehouse.errors import MissingFile

CYCLES = made_cycles(n_points=16)


@pytest.fixture(scope="module")
def run() -> TrainedRun:
    return train_by_early_stopping(small_setup("transformer"), CYCLES, halves(CYCLES))


def test_what_is_read_is_what_was_written(run: TrainedRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", run)
    again = read_run(tmp_path / "run")

    assert (again.config, again.split, again.report) == (run.config, run.split, run.report)
    cpu = torch.device("cpu")
    np.testing.assert_array_equal(predict(again, CYCLES, cpu), predict(run, CYCLES, cpu))
    assert {file.name for file in (tmp_path / "run").iterdir()} == {"model.safetensors", "config.json", "split.json"}


@pytest.mark.parametrize("name", ["mean_curve", "ridge"])
def test_baselines_are_stored_like_networks(name: str, tmp_path: Path) -> None:
    run = train_baseline(small_setup(name), CYCLES, halves(CYCLES))

    write_run(tmp_path / "run", run)

    cpu = torch.device("cpu")
    np.testing.assert_array_equal(predict(read_run(tmp_path / "run"), CYCLES, cpu), predict(run, CYCLES, cpu))


def test_nothing_is_overwritten(run: TrainedRun, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()

    with pytest.raises(ValueError, match="exists already"):
        write_run(tmp_path / "run", run)


def test_missing_and_damaged_files_are_named(run: TrainedRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", run)
    read = partial(read_run, tmp_path / "run")

    (tmp_path / "run" / WEIGHTS).write_bytes(b"\x10" * 20)
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged"):
        read()
    (tmp_path / "run" / CONFIG).write_text("{}")
    with pytest.raises(ValueError, match=r"config\.json is not what"):
        read()
    (tmp_path / "run" / CONFIG).unlink()
    with pytest.raises(MissingFile, match=r"config\.json"):
        read()


@pytest.mark.parametrize("version", [0, 2, "1.0"])
def test_a_run_of_another_format_is_refused_by_name(run: TrainedRun, tmp_path: Path, version: object) -> None:
    write_run(tmp_path / "run", run)
    config = tmp_path / "run" / CONFIG
    config.write_text(json.dumps({**json.loads(config.read_text()), "format": version, "more": 1}))

    with pytest.raises(ValueError, match=rf"config\.json has run format {version}; this gait2hip reads 1\. Train or"):
        read_run(tmp_path / "run")


def test_weights_of_another_size_are_refused(run: TrainedRun) -> None:
    other = train_by_early_stopping(
        small_setup("transformer", transformer={"d_model": 4, "heads": 1}), CYCLES, halves(CYCLES)
    )

    with pytest.raises(ValueError, match="don't fit a transformer"):
        predict(TrainedRun(config=run.config, weights=other.weights, split=run.split), CYCLES, torch.device("cpu"))


def test_cycles_of_other_points_or_targets_are_refused(run: TrainedRun) -> None:
    with pytest.raises(ValueError, match="cycles of 16 points, and these have 18"):
        check_fits(run.config, made_cycles(n_points=18))
    with pytest.raises(ValueError, match=r"predicts moment_hip_flexion.*targets are force_addbrev"):
        check_fits(run.config, made_cycles(n_points=16, task="forces"))
