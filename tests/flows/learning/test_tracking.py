"""What MLflow is told, and what happens where it can't be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from flows.learning import tracking
from flows.learning.tracking import begin_run, call, called, fetch, register
from models.scoring.report import make_report
from models.scoring.scorecard import score
from models.training.network_training import CurvePoint, TrainingProgress
from tests.models.samples import made_cycles

FACTS = TrainingProgress(
    curve=tuple(CurvePoint(epoch=epoch, train_loss=1 / epoch, validation_loss=2 / epoch) for epoch in range(1, 1203)),
    best_epoch=1202,
    best_loss=2 / 1202,
)


def test_parameters_curves_figures_and_files_are_kept(uri: str, tmp_path: Path) -> None:
    cycles = made_cycles(n_subjects=3, n_points=4)
    report = make_report(score("lstm", cycles, cycles.measured() + 0.5), [])
    (tmp_path / "lstm").mkdir()
    (tmp_path / "lstm" / "config.json").write_text("{}")

    run = begin_run(uri, "lstm", {"model": "lstm", "release": "made: 0123", "recipe": {"optimizer": {"lr": 0.1}}})
    run.curve(1, FACTS)
    run.result(report, tmp_path / "lstm")
    run.end("FINISHED")

    assert run.problems == []
    client = MlflowClient(uri)
    told = client.get_run(run.run_id)
    assert told.info.status == "FINISHED"
    assert told.data.params == {"model": "lstm", "release": "made: 0123", "recipe.optimizer.lr": "0.1"}
    assert told.data.metrics["moments/rmse/lstm"] == pytest.approx(0.5)
    assert told.data.tags["verdict"] == report.verdict
    losses = client.get_metric_history(run.run_id, "training-0001/validation_loss")
    assert [(one.step, one.value) for one in losses] == [(p.epoch, p.validation_loss) for p in FACTS.curve]
    assert (tmp_path / "mlruns").is_dir()
    assert [one.path for one in client.list_artifacts(run.run_id, "run")] == ["run/config.json"]


def test_the_revision_of_this_checkout_is_told(uri: str) -> None:
    tags = MlflowClient(uri).get_run(begin_run(uri, "any", {}).run_id).data.tags

    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True)
    assert tags.get("mlflow.source.git.commit", "") == head.stdout.strip()
    assert tags["gait2hip.version"]


def test_one_version_is_the_champion(uri: str, tmp_path: Path) -> None:
    assert called(uri, "hip-forces", "champion") is None
    (tmp_path / "lstm").mkdir()
    (tmp_path / "lstm" / "config.json").write_text("first")
    report = make_report(score("lstm", made_cycles(n_points=4), made_cycles(n_points=4).measured()), [])
    versions = []
    for _ in range(2):
        run = begin_run(uri, "lstm", {})
        run.result(report, tmp_path / "lstm")
        versions.append(register(uri, "hip-forces", run.run_id))

    call(uri, versions[0], "champion")
    call(uri, versions[1], "challenger")
    assert called(uri, "hip-forces", "champion") == versions[0]
    assert called(uri, "hip-forces", "challenger") == versions[1]
    call(uri, versions[1], "champion")
    assert called(uri, "hip-forces", "champion") == versions[1]
    assert called(uri, "hip-forces", "retired") is None
    (tmp_path / "copy").mkdir()
    assert (fetch(uri, versions[1], tmp_path / "copy") / "config.json").read_text() == "first"


@pytest.mark.parametrize("address", ["sqlite:///{}/file", "nonsense://{}"])
def test_a_place_that_can_t_be_used_is_named(address: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database " * 100)

    with pytest.raises(ValueError, match=r"can't track at .*Name another --tracking-uri, or --no-track"):
        begin_run(address.format(tmp_path), "any", {})


def test_what_fails_later_ends_no_training(uri: str, tmp_path: Path) -> None:
    run = begin_run(uri, "any", {})
    run.run_id = "gone"

    run.curve(1, FACTS)
    run.end("FINISHED")

    assert len(run.problems) >= 2
    assert "gone" in run.problems[0]


def test_without_mlflow_it_is_said_how_to_get_it(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)

    with pytest.raises(tracking.NotInstalled, match=r"pip install 'gait2hip\[track\]'"):
        begin_run(uri, "any", {})


def test_telemetry_is_off(tmp_path: Path) -> None:
    program = (
        f"from flows.learning import tracking\ntracking.called('sqlite:///{tmp_path}/x.db', 'any', 'champion')\n"
        "from mlflow.telemetry.client import get_telemetry_client\nprint(get_telemetry_client())"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DO_NOT_TRACK"))}

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=clean)

    assert done.stdout.strip() == "None"
