"""Evaluating again and again: the runs and the champion, once as long as nothing changes."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows.learning import evaluation
from flows.learning.evaluation import FIGURES, PAGE, TABLE, EvaluateOrder, evaluate_anew
from models.comparing import evaluate as comparing
from models.data.cycles import SubjectSplit
from models.data.released_cycles import ReleasedCycles
from models.predicting.trained_run import write_run
from models.training.train_on_split import train_baseline
from tests.flows.learning.test_retrain import CYCLES
from tests.models.samples import small_setup

TAUGHT = CYCLES.subjects[:6]


@pytest.fixture(autouse=True)
def _made_release(monkeypatch: pytest.MonkeyPatch) -> None:
    released = ReleasedCycles(
        identity="made: 0123", cycles=CYCLES, split=SubjectSplit(train=TAUGHT, test=()), n_left_out=0
    )
    monkeypatch.setattr(comparing, "load_released_cycles", lambda *_: released)
    monkeypatch.setattr(evaluation, "open_release", lambda root: SimpleNamespace(manifest=root))
    monkeypatch.setattr(evaluation, "release_folder", lambda manifest: manifest)


def trained(folder: Path, name: str) -> Path:
    """A baseline that knows the first six people, as a run's folder."""
    write_run(folder, train_baseline(small_setup(name, "moments"), CYCLES, SubjectSplit(train=TAUGHT, test=())))
    return folder


@pytest.fixture
def order(tmp_path: Path, uri: str) -> EvaluateOrder:
    return EvaluateOrder(
        runs=(trained(tmp_path / "mine", "ridge"),),
        champion_of="",
        tracking_uri=uri,
        release="R",
        cohorts=(),
        device="cpu",
        pages=tmp_path / "pages",
    )


def test_the_same_models_on_the_same_data_are_tested_once(order: EvaluateOrder, tmp_path: Path) -> None:
    first = evaluate_anew(order)
    assert first.folder is not None and {PAGE, TABLE, FIGURES} == {file.name for file in first.folder.iterdir()}
    assert str(first.folder / PAGE) in first.words and "mine" in first.words
    tested = json.loads((first.folder / FIGURES).read_text())
    assert tested["subjects"] == list(CYCLES.subjects[6:])

    again = evaluate_anew(order)
    assert again.folder == first.folder and "nothing has changed" in again.words

    others = [
        evaluate_anew(replace(order, runs=(*order.runs, trained(tmp_path / "other", "mean_curve")))),
        evaluate_anew(replace(order, release="R2")),
    ]
    assert len({first.folder, *(other.folder for other in others)}) == 3


def test_the_champion_is_tested_beside_the_runs_or_waited_for(
    order: EvaluateOrder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waiting = evaluate_anew(replace(order, runs=(), champion_of="moments"))
    assert waiting.folder is None and "no champion of moments yet" in waiting.words
    assert not order.pages.exists()
    alone = evaluate_anew(replace(order, champion_of="moments"))
    assert alone.folder is not None and alone.words.startswith("there is no champion of moments yet\n")

    crowned = evaluation.tracking.Version(name="gait2hip-moments", number="3", run_id="r")
    monkeypatch.setattr(evaluation.tracking, "called", lambda *_: crowned)
    monkeypatch.setattr(evaluation.tracking, "fetch", lambda _uri, _version, into: trained(into / "run", "mean_curve"))
    found = evaluate_anew(replace(order, champion_of="moments"))
    assert found.folder is not None
    assert json.loads((found.folder / FIGURES).read_text())["models"] == ["mine", "champion, version 3"]


def test_what_can_t_be_tested_leaves_no_page(order: EvaluateOrder) -> None:
    with pytest.raises(ValueError, match="no cycles of the cohort nowhere"):
        evaluate_anew(replace(order, cohorts=("nowhere",)))
    assert not order.pages.exists() or not list(order.pages.glob("evaluation-*"))
