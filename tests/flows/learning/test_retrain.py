"""Retraining end to end on made-up cycles: the better is promoted, the worse is not, and nothing is done twice."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from mlflow import MlflowClient
from typer.testing import CliRunner, Result

from flows import cli
from flows.learning import retrain, tracking
from flows.learning.retrain import DECISIONS, Retrained, RetrainOrder
from models.comparing import evaluate as comparing
from models.data.cycles import SubjectSplit
from models.data.released_cycles import ReleasedCycles
from models.training import train as training_room
from tests.models.samples import made_cycles, small_recipe
from warehouse.errors import WarehouseError

CYCLES = made_cycles(n_subjects=12, n_points=16)
SPLIT = SubjectSplit(train=CYCLES.subjects[:6], test=CYCLES.subjects[6:])


@pytest.fixture(autouse=True)
def _made_release(monkeypatch: pytest.MonkeyPatch) -> None:
    released = ReleasedCycles(identity="made: 0123", cycles=CYCLES, split=SPLIT, n_left_out=0)
    for user in (training_room, comparing):
        monkeypatch.setattr(user, "load_released_cycles", lambda *_: released)
    monkeypatch.setattr(training_room, "cycles_bytes", lambda *_: 0)
    monkeypatch.setattr(training_room, "load_training_recipe", lambda _name: small_recipe())
    monkeypatch.setattr(retrain, "_release", lambda _order: "R")


@pytest.fixture
def order(uri: str, tmp_path: Path) -> RetrainOrder:
    return RetrainOrder(
        warehouse=str(tmp_path / "warehouse"),
        release_name="newest",
        holdout=(),
        runs=tmp_path / "runs",
        tracking_uri=uri,
        model="mean_curve",
        task="moments",
        protocol="holdout",
        recipe="any",
        device="cpu",
        margin=0.02,
        tolerance=0.05,
    )


def run(order: RetrainOrder, model: str) -> Retrained:
    return retrain.train_challenger(replace(order, model=model))


def champion(order: RetrainOrder) -> str:
    found = tracking.called(order.tracking_uri, "gait2hip-moments", "champion")
    assert found is not None
    return tracking.verdict_of(order.tracking_uri, found)[0].partition("-")[0]


def models(order: RetrainOrder, *words: str) -> Result:
    given = ("models", *words, "--task", "moments", "--tracking-uri", order.tracking_uri)
    return CliRunner().invoke(cli.app, given)


def test_the_better_is_promoted_the_worse_is_not_and_a_promotion_can_be_undone(order: RetrainOrder) -> None:
    first = run(order, "mean_curve")
    assert first.decision is not None and first.decision.reasons == ("there was no champion",)

    # The targets are a linear mixture of the angles, which a regression finds and a mean can't.
    better = run(order, "ridge")
    assert better.decision is not None and better.decision.promoted, better.words
    assert champion(order) == "ridge"

    worse = run(order, "lstm")
    assert worse.decision is not None and not worse.decision.promoted
    assert worse.decision.champion == "champion, version 2" and "stays champion" in worse.words
    assert champion(order) == "ridge"
    stored = json.loads((order.runs / DECISIONS / f"{worse.run.name}.json").read_text())
    assert stored["decision"]["promoted"] is False and stored["version"] == "3"

    listed = models(order, "list")
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [
        ["1", first.run.name],
        ["2", "champion"],
        ["3", "challenger"],
    ]
    assert models(order, "rollback").stdout == "version 1 of gait2hip-moments is the champion\n"
    assert champion(order) == "mean_curve"
    assert models(order, "promote", "3").exit_code == 0 and champion(order) == "lstm"
    assert models(order, "promote", "9").exit_code == 2


def test_nothing_is_done_where_nothing_has_changed(order: RetrainOrder) -> None:
    run(order, "mean_curve")
    again = run(order, "mean_curve")
    assert again.decision is None and "nothing has changed" in again.words
    assert len(tracking.versions(order.tracking_uri, "gait2hip-moments")) == 1


def test_a_broken_challenger_leaves_the_champion(order: RetrainOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    run(order, "mean_curve")

    def full(*_: object) -> None:
        raise WarehouseError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(training_room, "write_run", full)
        with pytest.raises(WarehouseError, match="the disk is full"):
            run(order, "ridge")
    assert champion(order) == "mean_curve"
    # The next time it is made after all.
    run(order, "ridge")
    assert champion(order) == "ridge"


@pytest.mark.parametrize("stopped_at", ["register", "call", "keep_text", "crown"])
def test_a_call_that_was_killed_is_finished_by_the_next(
    stopped_at: str, order: RetrainOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(order, "mean_curve")

    with monkeypatch.context() as patched:
        patched.setattr(tracking, stopped_at, _killed)
        with pytest.raises(KeyboardInterrupt):
            run(order, "ridge")
    finished = run(order, "ridge")
    assert finished.decision is not None and finished.decision.promoted
    assert champion(order) == "ridge"
    assert models(order, "rollback").exit_code == 0 and champion(order) == "mean_curve"


@pytest.mark.parametrize("stopped_at", ["keep_text", "crown"])
def test_a_decision_is_not_carried_out_against_a_champion_that_it_was_not_held_against(
    stopped_at: str, order: RetrainOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(order, "mean_curve")
    run(order, "lstm")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(tracking, stopped_at, _killed)
        run(order, "ridge")
    assert models(order, "promote", "2").exit_code == 0 and champion(order) == "lstm"
    again = run(order, "ridge")
    assert again.decision is not None and again.decision.champion == "champion, version 2"
    assert champion(order) == "ridge" and len(tracking.versions(order.tracking_uri, "gait2hip-moments")) == 3


def test_a_promotion_that_was_rolled_back_is_not_repeated(order: RetrainOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    run(order, "mean_curve")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        # Killed after the promotion, before it was noted.
        patched.setattr(Path, "replace", _killed)
        patched.setattr(retrain, "replace_file", lambda path, data: path.write_bytes(data))
        run(order, "ridge")
    assert champion(order) == "ridge"
    assert models(order, "rollback").exit_code == 0 and champion(order) == "mean_curve"
    run(order, "ridge")
    assert champion(order) == "mean_curve"


def test_two_at_once_are_one_too_many(order: RetrainOrder) -> None:
    order.runs.mkdir()
    with FileLock(order.runs / ".retrain.lock"), pytest.raises(ValueError, match="another retraining is at work"):
        run(order, "mean_curve")


def test_a_model_that_mlflow_did_not_get_is_no_champion(order: RetrainOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "log_artifacts", _full)
        with pytest.raises(ValueError, match="can't be told of"):
            run(order, "mean_curve")
    assert not tracking.versions(order.tracking_uri, "gait2hip-moments")
    run(order, "mean_curve")
    assert champion(order) == "mean_curve"


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_without_a_champion_there_is_nothing_to_roll_back(order: RetrainOrder) -> None:
    ended = models(order, "rollback")
    assert ended.exit_code == 2 and "has no champion" in ended.stderr
    assert models(order, "list").exit_code == 2
