"""From the words of a command to a run's folder; every mistake is told before any work."""

from pathlib import Path
from typing import Any

import pytest

from models.data.cycles import SubjectSplit
from models.data.released_cycles import ReleasedCycles
from models.predicting.trained_run import read_run
from models.scoring.report import Report
from models.training import train as training
from models.training.network_training import TrainingProgress
from models.training.train import TrainRequest, prepare_training, train
from models.training.training_loop import Interrupted
from tests.models.samples import halves, made_cycles, small_recipe
from warehouse.errors import WarehouseError

CYCLES = made_cycles(n_points=16)
WORDS = {
    "release": "R", "model": "ridge", "task": "moments", "protocol": "holdout", "recipe": "quick", "device": "cpu",
    "memory_mb": 1,
}  # fmt: skip


def never() -> bool:
    return False


def unheard(number: int, progress: TrainingProgress) -> None:
    pass


def train_on_release(request: TrainRequest, out: Path) -> Report:
    return train(prepare_training(request, out), never, unheard)


@pytest.fixture(autouse=True)
def _made_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "cycles_bytes", lambda *_: 0)
    monkeypatch.setattr(training, "load_training_recipe", lambda _name: small_recipe())
    monkeypatch.setattr(
        training,
        "load_released_cycles",
        lambda _root, task, _allocate=None: ReleasedCycles(
            identity="made: 0123", cycles=made_cycles(n_points=16, task=task), split=halves(CYCLES), n_left_out=0
        ),
    )


def test_a_run_says_what_it_was_made_of(tmp_path: Path) -> None:
    report = train_on_release(TrainRequest.model_validate(WORDS), tmp_path / "run")

    run = read_run(tmp_path / "run")
    assert run.report == report
    assert run.config.origin["release"] == "made: 0123"
    assert run.config.origin["protocol"] == "holdout"
    assert run.split == halves(CYCLES)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"model": "gru"}, "expected one of mean_curve, ridge, lstm, transformer, mamba"),
        ({"task": "force"}, "expected one of forces, moments, both"),
        ({"protocol": "kfold"}, "expected one of gait2hip60, holdout, loso"),
        ({"device": "tpu"}, "expected auto, cpu or cuda"),
    ],
)
def test_unknown_words_are_told_before_any_work(
    change: dict[str, Any], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "load_released_cycles", None)

    with pytest.raises(ValueError, match=complaint):
        train_on_release(TrainRequest.model_validate({**WORDS, **change}), tmp_path / "run")

    assert not (tmp_path / "run").exists()


def test_a_folder_that_can_t_be_made_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "load_released_cycles", None)
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(WarehouseError, match="a file stands where a folder is needed"):
        train_on_release(TrainRequest.model_validate(WORDS), tmp_path / "file" / "run")


def test_an_existing_folder_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "load_released_cycles", None)

    with pytest.raises(ValueError, match="exists already"):
        train_on_release(TrainRequest.model_validate(WORDS), tmp_path)


def _released(split: SubjectSplit) -> ReleasedCycles:
    return ReleasedCycles(identity="made: 0123", cycles=CYCLES, split=split, n_left_out=0)


def _interrupted(out: Path) -> None:
    prepared = prepare_training(TrainRequest.model_validate({**WORDS, "model": "lstm"}), out)
    with pytest.raises(Interrupted):
        train(prepared, iter([*[False] * 2, True]).__next__, unheard)


def test_weights_learned_on_another_split_s_test_subjects_are_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _interrupted(tmp_path / "run")
    split, request = halves(CYCLES), TrainRequest.model_validate({**WORDS, "model": "lstm"})
    assert split.train is not None
    # As many subjects on either side, so that the arrays are of the same size.
    exchanged = SubjectSplit(train=(*split.train[1:], split.test[0]), test=(split.train[0], *split.test[1:]))
    monkeypatch.setattr(training, "load_released_cycles", lambda *_: _released(exchanged))

    with pytest.raises(ValueError, match=r"another split\)"):
        train_on_release(request, tmp_path / "run")


def test_weights_that_other_code_learned_are_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _interrupted(tmp_path / "run")
    monkeypatch.setattr(training, "TRAINING_VERSION", training.TRAINING_VERSION + 1)

    with pytest.raises(ValueError, match=r"another training_version\)"):
        train_on_release(TrainRequest.model_validate({**WORDS, "model": "lstm"}), tmp_path / "run")


def test_two_trainings_into_one_folder_at_once_are_refused(tmp_path: Path) -> None:
    request = TrainRequest.model_validate(WORDS)
    first = prepare_training(request, tmp_path / "run")

    with pytest.raises(ValueError, match=r"another training into .*run is running"):
        prepare_training(request, tmp_path / "run")
    train_on_release(request, tmp_path / "beside")
    train(first, never, unheard)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["beside", "run"]


def test_a_folder_is_free_again_after_an_interruption_and_after_a_release_that_can_t_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> ReleasedCycles:
        raise WarehouseError("damaged")

    request = TrainRequest.model_validate({**WORDS, "model": "lstm"})
    with monkeypatch.context() as patched:
        patched.setattr(training, "load_released_cycles", unreadable)
        with pytest.raises(WarehouseError, match="damaged"):
            prepare_training(request, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    _interrupted(tmp_path / "run")

    train_on_release(request, tmp_path / "run")

    assert [path.name for path in tmp_path.iterdir()] == ["run"]
