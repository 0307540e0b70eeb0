"""`train`, `evaluate` and `import checkpoint`: what they hand on and what they print."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from typer.testing import CliRunner, Result

from flows import cli
from flows.learning import train
from models.comparing import evaluate as comparing
from models.comparing.evaluate import EvaluatedRun, EvaluateRequest, Evaluation, compare_pairs
from models.data.channels import ANGLE_CHANNELS, MOMENT_TARGETS
from models.networks.lstm import Lstm, LstmSettings
from models.predicting.trained_run import read_run
from models.scoring.report import Report, make_report
from models.scoring.scorecard import score
from models.training.train import TrainRequest
from tests.models.samples import made_cycles


def _run(*args: str) -> Result:
    return CliRunner().invoke(cli.app, list(args))


@pytest.fixture
def report() -> Report:
    cycles = made_cycles(n_subjects=3, n_points=4)
    return make_report(score("lstm", cycles, cycles.measured() + 0.5), [])


def test_train_hands_its_words_on_and_prints_the_report(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(train, "train_and_track", lambda *args: asked.append(args) or (report, "run 1", ()))

    done = _run("train", "R", "--model", "lstm", "--task", "moments", "--output", str(tmp_path / "run"))

    assert done.exit_code == 0
    words = {
        "model": "lstm",
        "task": "moments",
        "protocol": "gait2hip60",
        "recipe": "gait2hip60",
        "device": "auto",
        "memory_mb": 2048,
    }
    assert asked == [(TrainRequest(release="R", **words), tmp_path / "run", "sqlite:///mlruns.db")]
    assert done.stdout.startswith("moments: lstm 0.500")
    assert f"written: {tmp_path / 'run'}; tracked: sqlite:///mlruns.db" in done.stdout


@pytest.fixture
def _two_evaluated(monkeypatch: pytest.MonkeyPatch) -> list[EvaluateRequest]:
    """Two models wrong by half a unit and by one, whatever is asked."""
    cycles, asked = made_cycles(n_subjects=3, n_points=24), []
    cards = {name: score(name, cycles, cycles.measured() + error) for name, error in (("lstm", 0.5), ("mamba", 1.0))}
    unseen = tuple(
        EvaluatedRun(name=name, report=make_report(card, []), cycles=cycles, predicted=cycles.measured())
        for name, card in cards.items()
    )
    evaluation = Evaluation(
        release="made: 0123",
        models=tuple(cards),
        subjects=cycles.subjects,
        reports=tuple(one.report for one in unseen),
        between=compare_pairs(unseen),
    )

    def evaluated(job: EvaluateRequest) -> tuple[Evaluation, tuple[EvaluatedRun, ...]]:
        asked.append(job)
        return evaluation, unseen

    monkeypatch.setattr(comparing, "evaluate_on_release", evaluated)
    return asked


def test_evaluate_hands_its_words_on_and_prints_who_wins(_two_evaluated: list[EvaluateRequest], tmp_path: Path) -> None:
    runs = tmp_path / "lstm", tmp_path / "mamba"

    done = _run("evaluate", *map(str, runs), "--release", "R", "--cohort", "a", "--cohort", "b", "--device", "cpu")

    assert done.exit_code == 0
    assert _two_evaluated == [EvaluateRequest(runs=runs, release="R", cohorts=("a", "b"), device="cpu")]
    assert done.stdout.startswith("moments: lstm 0.500")
    assert "lstm less mamba: -0.500 N·m/kg [-0.500, -0.500], better on 3 of 3 subjects" in done.stdout


def test_an_evaluation_is_kept_for_programs_and_people(_two_evaluated: list[EvaluateRequest], tmp_path: Path) -> None:
    out = tmp_path / "evaluation"

    done = _run("evaluate", "lstm", "mamba", "--release", "R", "--output", str(out))

    assert done.exit_code == 0
    assert sorted(file.name for file in out.iterdir()) == ["evaluation.json", "report.html", "scores.parquet"]
    assert Evaluation.model_validate_json((out / "evaluation.json").read_text()).models == ("lstm", "mamba")
    assert set(pq.read_table(out / "scores.parquet")["model"].to_pylist()) == {"lstm", "mamba"}
    page = (out / "report.html").read_text()
    assert "<td>moments</td><td>lstm</td><td>mamba</td>" in page
    assert page.count("<svg") == 2
    again = _run("evaluate", "lstm", "mamba", "--release", "R", "--output", str(out))
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_a_run_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = _run("evaluate", str(tmp_path / "absent"), "--release", "R")

    assert done.exit_code == 2
    assert "absent" in done.stderr
    assert "Traceback" not in done.output


def test_a_published_checkpoint_becomes_a_run(tmp_path: Path) -> None:
    torch.save(
        {
            "model_type": "lstm",
            "state_dict": Lstm(LstmSettings(hidden=4), 10, 3).state_dict(),
            "mu_x": np.zeros(10, dtype=np.float32),
            "sd_x": np.ones(10, dtype=np.float32),
            "in_cols": [angle.name for angle in ANGLE_CHANNELS],
            "out_cols": [f"{moment.name.removeprefix('moment_')}_r_moment" for moment in MOMENT_TARGETS],
            "hparams": {"hidden": 4, "layers": 2, "dropout": 0.1, "T": 180},
            "test_subjects": ["H01"],
        },
        tmp_path / "LSTM.pt",
    )

    done = _run("import", "checkpoint", str(tmp_path / "LSTM.pt"), "--output", str(tmp_path / "run"))

    assert done.exit_code == 0
    assert done.stdout.startswith("lstm, moments, 180 points a cycle")
    assert read_run(tmp_path / "run").config.origin["imported_from"] == "LSTM.pt"
    again = _run("import", "checkpoint", str(tmp_path / "LSTM.pt"), "--output", str(tmp_path / "run"))
    assert again.exit_code == 2
    assert "exists already" in again.stderr
