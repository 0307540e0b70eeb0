from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows import cli
from flows.learning import model_sections
from models.comparing import evaluate as comparing
from models.comparing.evaluate import EvaluatedRun
from models.scoring.report import make_report
from models.scoring.scorecard import score
from reports.pages.models import ModelSection
from tests.models.samples import made_cycles


@pytest.fixture
def section(monkeypatch: pytest.MonkeyPatch) -> ModelSection:
    """A model that is wrong by half a unit everywhere, beside a baseline that is wrong by one."""
    cycles = made_cycles(n_subjects=3, n_points=24)
    wrong, worse = cycles.measured() + 0.5, cycles.measured() + 1.0
    report = make_report(score("lstm", cycles, wrong), [score("ridge", cycles, worse)])
    unseen = EvaluatedRun(name="lstm", report=report, cycles=cycles, predicted=wrong)
    monkeypatch.setattr(comparing, "evaluate_run", lambda *_: unseen)
    (only,) = model_sections.model_sections([Path("run")], "R")
    return only


def test_the_scorecard_begins_with_the_baseline_and_gives_each_condition(section: ModelSection) -> None:
    assert section.title == "Predicted hip moments: lstm"
    assert "lstm 0.500 N·m/kg beats ridge (1.000)" in section.verdict
    rows = [(row.model, row.condition, row.n_subjects, row.rmse) for row in section.rows]
    assert rows[0] == ("ridge", "all", 3, "1.000")
    assert set(rows[3:]) == {("lstm", condition, 3, "0.500") for condition in ("all", "slow", "fast")}


def test_channels_subjects_and_cohorts_have_tables(section: ModelSection) -> None:
    channels, subjects, cohorts = section.tables

    assert channels.header[:4] == ["channel", "ridge: RMSE", "ridge: R²", "ridge: nRMSE"]
    assert [row[0] for row in channels.rows] == ["moment_hip_flexion", "moment_hip_adduction", "moment_hip_rotation"]
    assert [row[1] for row in channels.rows] == ["1.000"] * 3
    assert subjects.rows == [[f"made/S0{number}", "1.000", "0.500"] for number in range(3)]
    assert cohorts.rows == [["made", "3", "1.000", "0.500"]]


def test_measured_and_predicted_are_drawn_for_each_target(section: ModelSection) -> None:
    for text in ("hip flexion", "hip adduction", "hip internal rotation", "slow", "fast"):
        assert f">{text}</text>" in section.figure
    # Two conditions of three moments, each predicted by one dashed line.
    assert section.figure.count("stroke-dasharray") == 6


def test_a_run_without_a_release_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli.app, ["report", "--warehouse", str(tmp_path), "-o", str(tmp_path / "p.html"), "--run", "x"]
    )

    assert done.exit_code == 2
    assert "--run and --release belong together" in done.stderr
    assert not (tmp_path / "p.html").exists()
