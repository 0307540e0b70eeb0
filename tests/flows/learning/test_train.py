"""A training that is interrupted by a real signal, and what is told of it."""

import signal
from pathlib import Path

import pytest
import torch
from mlflow import MlflowClient
from typer.testing import CliRunner, Result

from flows import cli
from flows.learning import tracking
from models.data.released_cycles import ReleasedCycles
from models.predicting.trained_run import read_run
from models.training import train as training_room
from models.training.network_training import NetworkTraining
from tests.models.samples import halves, made_cycles, small_recipe


@pytest.fixture(autouse=True)
def _made_release(monkeypatch: pytest.MonkeyPatch) -> None:
    cycles = made_cycles(n_points=16)
    released = ReleasedCycles(identity="made: 0123", cycles=cycles, split=halves(cycles), n_left_out=0)
    monkeypatch.setattr(training_room, "load_released_cycles", lambda *_: released)
    monkeypatch.setattr(training_room, "cycles_bytes", lambda *_: 0)
    monkeypatch.setattr(training_room, "load_training_recipe", lambda _name: small_recipe())


def _train(out: Path, *others: str) -> Result:
    words = ("train", "R", "--model", "lstm", "--task", "moments", "--device", "cpu", "--output", str(out))
    return CliRunner().invoke(cli.app, [*words, *others])


def _interrupt_at(step: int, number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0
    original = NetworkTraining._step

    def watched(training: NetworkTraining, rows: torch.Tensor) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if steps == step:
            signal.raise_signal(number)
        return original(training, rows)

    monkeypatch.setattr(NetworkTraining, "_step", watched)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_keeps_what_was_learned_and_the_same_command_goes_on(
    number: signal.Signals, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(number)
    with monkeypatch.context() as patched:
        # Three epochs of one batch a fold: this is the second fold's second epoch.
        _interrupt_at(5, number, patched)
        ended = _train(tmp_path / "run", "--tracking-uri", uri)
    assert ended.exit_code == 128 + number
    assert "interrupted in training 2, after 2 of its epochs" in ended.stderr
    assert not (tmp_path / "run").exists()
    assert (tmp_path / "run.unfinished").is_dir()
    assert signal.getsignal(number) is before

    again, undisturbed = _train(tmp_path / "run", "--tracking-uri", uri), _train(tmp_path / "other", "--no-track")

    assert again.exit_code == undisturbed.exit_code == 0
    assert not (tmp_path / "run.unfinished").exists()
    found, expected = read_run(tmp_path / "run"), read_run(tmp_path / "other")
    assert all(found.weights[name].equal(weight) for name, weight in expected.weights.items())
    assert found.report == expected.report
    client = MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name("gait2hip").experiment_id], order_by=["start_time ASC"])
    assert [run.info.status for run in runs] == ["KILLED", "FINISHED"]
    assert runs[1].data.params["release"] == "made: 0123"
    assert len(client.get_metric_history(runs[1].info.run_id, "training-0001/train_loss")) == 3


def test_a_wrong_word_is_told_before_anything_is_tracked(uri: str, tmp_path: Path) -> None:
    done = _train(tmp_path / "run", "--tracking-uri", uri, "--protocol", "kfold")

    assert done.exit_code == 2
    assert MlflowClient(uri).get_experiment_by_name("gait2hip") is None


def test_a_training_that_fails_is_told_so(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise ValueError("the training loss became NaN")

    monkeypatch.setattr(training_room, "train_and_test", full)

    assert _train(tmp_path / "run", "--tracking-uri", uri).exit_code == 2
    client = MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("gait2hip").experiment_id])
    assert run.info.status == "FAILED"


def test_without_mlflow_it_trains_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "is_installed", lambda: False)

    done = _train(tmp_path / "run")

    assert done.exit_code == 0
    assert "not tracked: MLflow is not installed" in done.stderr
    assert (tmp_path / "run").is_dir()


def test_tracking_nowhere_and_somewhere_is_refused(uri: str, tmp_path: Path) -> None:
    done = _train(tmp_path / "run", "--no-track", "--tracking-uri", uri)

    assert done.exit_code == 2
    assert "contradict each other" in done.stderr
