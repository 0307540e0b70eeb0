"""A training as an operation: it can be interrupted, goes on later, and is told to MLflow."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flows.learning.interruption import Interruption, interruption
from flows.learning.tracking import TrackedRun, begin_run

# Torch is loaded when something is trained, not before.
if TYPE_CHECKING:
    from models.scoring.report import Report
    from models.training.journal import ProgressListener
    from models.training.network_training import TrainingProgress
    from models.training.train import PreparedTraining, TrainRequest


def train_and_track(job: "TrainRequest", out: Path, uri: str) -> tuple["Report", str, tuple[str, ...]]:
    """Trains and writes the run, and tells MLflow at `uri`; the report, the MLflow run's id, and what went wrong there.

    ValueError before any work if a word is wrong or nothing can be tracked there. SystemExit, with the code that a
    shell expects, if a signal ended it.
    """
    from models.training.train import prepare_training

    with interruption() as asked:
        prepared = prepare_training(job, out)
        run = begin_run(uri, out.name, prepared.provenance())
        with _told_how_it_ends(run):
            report = _train(prepared, asked, run.curve)
            run.result(report, out)
    return report, run.run_id, tuple(run.problems)


def track_trained(folder: Path, uri: str) -> str:
    """Tells MLflow at `uri` of a run that is there already; the MLflow run's id. ValueError if it can't be told."""
    from models.predicting.trained_run import read_run

    run = read_run(folder)
    assert run.report is not None, "a training tests its run before it writes it"
    tracked = begin_run(uri, folder.name, run.config.model_dump(mode="json"))
    tracked.result(run.report, folder)
    tracked.end("FINISHED")
    if tracked.problems:
        raise ValueError(f"MLflow at {uri} can't be told of {folder}: {tracked.problems[0]}")
    return tracked.run_id


def train_untracked(job: "TrainRequest", out: Path) -> "Report":
    """Trains and writes the run. ValueError and SystemExit as above."""
    from models.training.train import prepare_training

    with interruption() as asked:
        return _train(prepare_training(job, out), asked, _unheard)


def _train(prepared: "PreparedTraining", asked: Interruption, listener: "ProgressListener") -> "Report":
    from models.training.train import train
    from models.training.training_loop import Interrupted

    if left_out := prepared.released.n_left_out:
        n_cycles = len(prepared.released.cycles.subject) + left_out
        print(f"{left_out} of {n_cycles} cycles left out: not all of their targets are known", file=sys.stderr)
    try:
        return train(prepared, asked.came, listener)
    except Interrupted as error:
        print(f"gait2hip: {error}", file=sys.stderr)
        raise SystemExit(asked.exit_code) from error


@contextmanager
def _told_how_it_ends(run: TrackedRun) -> Iterator[None]:
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    except SystemExit:
        status = "KILLED"
        raise
    finally:
        run.end(status)
        for problem in run.problems:
            print(f"gait2hip: MLflow was not told everything: {problem}", file=sys.stderr)


def _unheard(number: int, facts: "TrainingProgress") -> None:
    """The curves are in the journal while it trains, and nowhere afterwards."""
