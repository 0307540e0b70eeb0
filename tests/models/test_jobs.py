"""From the words of a command to a run's folder; every mistake is told before any work."""

from pathlib import Path
from typing import Any

import pytest

from models import jobs
from models.data.cycles import Split
from models.data.release import Released
from models.jobs import Attendance, EvaluateJob, TrainJob, evaluate_on_release, prepare, train
from models.learning.watch import Interrupted
from models.predicting.run import read_run
from models.scoring.report import Report
from tests.models.samples import halves, made_cycles, small_recipe
from warehouse.errors import WarehouseError

CYCLES = made_cycles(n_points=16)
ASKED = {
    "release": "R", "model": "ridge", "task": "moments", "protocol": "holdout", "recipe": "quick", "device": "cpu",
    "memory_mb": 1,
}  # fmt: skip


def train_on_release(job: TrainJob, out: Path) -> Report:
    return train(prepare(job, out), Attendance(stop=lambda: False, listener=lambda _number, _facts: None))


@pytest.fixture(autouse=True)
def _made_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "cycles_bytes", lambda *_: 0)
    monkeypatch.setattr(jobs, "load_training_recipe", lambda _name: small_recipe())
    monkeypatch.setattr(
        jobs,
        "open_cycles",
        lambda _root, task, _allocate=None: Released(
            identity="made: 0123", cycles=made_cycles(n_points=16, task=task), split=halves(CYCLES), n_left_out=0
        ),
    )


def test_a_run_says_what_it_was_made_of(tmp_path: Path) -> None:
    report = train_on_release(TrainJob.model_validate(ASKED), tmp_path / "run")

    run = read_run(tmp_path / "run")
    assert run.report == report
    assert run.config.origin["release"] == "made: 0123"
    assert run.config.origin["protocol"] == "holdout"
    assert run.split == halves(CYCLES)


def test_stored_runs_are_evaluated_by_their_folders_names(tmp_path: Path) -> None:
    for name in ("ridge", "mean_curve"):
        train_on_release(TrainJob.model_validate({**ASKED, "model": name}), tmp_path / f"my-{name}")
    runs = tmp_path / "my-ridge", tmp_path / "my-mean_curve"

    evaluation, tested = evaluate_on_release(EvaluateJob(runs=runs, release="R", cohorts=("made",), device="cpu"))

    assert evaluation.models == ("my-ridge", "my-mean_curve")
    assert evaluation.release == "made: 0123"
    assert evaluation.subjects == CYCLES.subjects[-2:]
    assert [(one.first, one.second) for one in evaluation.between] == [("my-ridge", "my-mean_curve")]
    assert [one.predicted.shape for one in tested] == [(8, 16, 3)] * 2


def test_two_runs_of_one_name_are_refused(tmp_path: Path) -> None:
    job = EvaluateJob(runs=(tmp_path / "a" / "lstm", tmp_path / "b" / "lstm"), release="R", cohorts=(), device="cpu")

    with pytest.raises(ValueError, match="two runs are called lstm"):
        evaluate_on_release(job)


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
    monkeypatch.setattr(jobs, "open_cycles", None)

    with pytest.raises(ValueError, match=complaint):
        train_on_release(TrainJob.model_validate({**ASKED, **change}), tmp_path / "run")

    assert not (tmp_path / "run").exists()


def test_a_folder_that_can_t_be_made_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "open_cycles", None)
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(WarehouseError, match="a file stands where a folder is needed"):
        train_on_release(TrainJob.model_validate(ASKED), tmp_path / "file" / "run")


def test_an_existing_folder_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "open_cycles", None)

    with pytest.raises(ValueError, match="exists already"):
        train_on_release(TrainJob.model_validate(ASKED), tmp_path)


def _released(split: Split) -> Released:
    return Released(identity="made: 0123", cycles=CYCLES, split=split, n_left_out=0)


def _interrupted(out: Path) -> None:
    attendance = Attendance(stop=iter([*[False] * 2, True]).__next__, listener=lambda _number, _facts: None)
    with pytest.raises(Interrupted):
        train(prepare(TrainJob.model_validate({**ASKED, "model": "lstm"}), out), attendance)


def test_weights_learned_on_another_split_s_test_subjects_are_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _interrupted(tmp_path / "run")
    split, job = halves(CYCLES), TrainJob.model_validate({**ASKED, "model": "lstm"})
    assert split.train is not None
    # As many subjects on either side, so that the arrays are of the same size.
    exchanged = Split(train=(*split.train[1:], split.test[0]), test=(split.train[0], *split.test[1:]))
    monkeypatch.setattr(jobs, "open_cycles", lambda *_: _released(exchanged))

    with pytest.raises(ValueError, match=r"another split\)"):
        train_on_release(job, tmp_path / "run")


def test_weights_that_other_code_learned_are_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _interrupted(tmp_path / "run")
    monkeypatch.setattr(jobs, "TRAINING_VERSION", jobs.TRAINING_VERSION + 1)

    with pytest.raises(ValueError, match=r"another training_version\)"):
        train_on_release(TrainJob.model_validate({**ASKED, "model": "lstm"}), tmp_path / "run")


def test_two_trainings_into_one_folder_at_once_are_refused(tmp_path: Path) -> None:
    job = TrainJob.model_validate(ASKED)
    first = prepare(job, tmp_path / "run")

    with pytest.raises(ValueError, match=r"another training into .*run is running"):
        prepare(job, tmp_path / "run")
    train_on_release(job, tmp_path / "beside")
    train(first, Attendance(stop=lambda: False, listener=lambda _number, _facts: None))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["beside", "run"]


def test_a_folder_is_free_again_after_an_interruption_and_after_a_release_that_can_t_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> Released:
        raise WarehouseError("damaged")

    job = TrainJob.model_validate({**ASKED, "model": "lstm"})
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "open_cycles", unreadable)
        with pytest.raises(WarehouseError, match="damaged"):
            prepare(job, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    _interrupted(tmp_path / "run")

    train_on_release(job, tmp_path / "run")

    assert [path.name for path in tmp_path.iterdir()] == ["run"]
