"""What the commands run: from plain values to a trained run or a report."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, get_args

import torch
from pydantic import JsonValue

from models.comparing.evaluate import (
    Evaluation,
    Unseen,
    common_task,
    compared,
    evaluate_together,
    of_cohorts,
    unseen_subjects,
)
from models.data.channels import Task
from models.data.release import Released, cycles_bytes, open_cycles
from models.learning.claim import Claim
from models.learning.journal import Journal, Listener, unfinished
from models.learning.learn import Order
from models.learning.protocols import PROTOCOLS, Protocol, train_and_test
from models.learning.recipe import load_training_recipe
from models.learning.train import device_named
from models.predicting.predict import predict
from models.predicting.run import check_writable, read_run, refuse_existing, write_run
from models.scoring.report import Report
from warehouse.files.on_disk import in_memory, on_disk
from warehouse.settings_file import Checked

# Raised when code changes what is learned from the same job: weights of two versions are never mixed.
TRAINING_VERSION = 1

Word = TypeVar("Word", bound=str)


class TrainJob(Checked):
    """What to train on what, as it is asked for on the command line.

    Cycles of more than `memory_mb` stay on disk while networks are trained; that changes no number.
    """

    release: str
    model: str
    task: str
    protocol: str
    recipe: str
    device: str
    memory_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """Who looks on: `stop` is asked between batches whether to end, `listener` told what each training was like."""

    stop: Callable[[], bool]
    listener: Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A job whose every word is known to be right: what to train on what, and where the run will be written.

    Nobody else trains into that folder while `claim` holds it.
    """

    order: Order
    protocol: Protocol
    released: Released
    out: Path
    claim: Claim

    def follows_from(self) -> dict[str, JsonValue]:
        """Everything that the weights follow from, in plain values."""
        return {
            "model": self.order.model.name,
            "task": self.order.task,
            "protocol": self.protocol,
            "recipe": self.order.recipe.model_dump(mode="json"),
            "release": self.released.identity,
            # A hash of it: MLflow takes no value as long as a large cohort's names.
            "split": hashlib.sha256(self.released.split.model_dump_json().encode()).hexdigest(),
            "device": self.order.device.type,
            "torch": torch.__version__,
            "training_version": TRAINING_VERSION,
        }


def prepare(job: TrainJob, out: Path) -> Prepared:
    """Checks the job, claims its folder and reads its release; nothing is trained or written yet.

    ValueError if the folder exists, another training is running into it, or a name is unknown; WarehouseError if it
    can't be written.
    """
    check_writable(out)
    task = one_of("task", job.task, get_args(Task))
    protocol: Protocol = one_of("protocol", job.protocol, tuple(PROTOCOLS))
    recipe = load_training_recipe(job.recipe)
    order = Order(model=recipe.model(job.model), task=task, recipe=recipe, device=device_named(job.device))
    claim = Claim(out)
    try:
        # Another training may have been about to write it when it was looked for.
        refuse_existing(out)
        released = _released(job, task, out)
    except BaseException:
        claim.release()
        raise
    return Prepared(order=order, protocol=protocol, released=released, out=out, claim=claim)


def _released(job: TrainJob, task: Task, out: Path) -> Released:
    # Beside the run, on a disk that was chosen for data: a folder for temporary files may be memory itself.
    fits = cycles_bytes(job.release, task) <= job.memory_mb * 2**20
    return open_cycles(job.release, task, in_memory if fits else on_disk(unfinished(out)))


def train(prepared: Prepared, attendance: Attendance) -> Report:
    """Trains, tests and writes the run; goes on where the same job was interrupted before. Its folder's claim ends.

    Interrupted if it was asked to stop, WarehouseError if the disk is full.
    """
    try:
        return _train(prepared, attendance)
    finally:
        prepared.claim.release()


def _train(prepared: Prepared, attendance: Attendance) -> Report:
    journal = Journal(unfinished(prepared.out), prepared.follows_from(), attendance.stop, attendance.listener)
    order, released = replace(prepared.order, watch=journal), prepared.released
    run = train_and_test(order, prepared.protocol, released.cycles, released.split)
    assert run.report is not None, "it was just tested"
    origin: dict[str, JsonValue] = {
        "release": released.identity,
        "protocol": prepared.protocol,
        "cycles_left_out": released.n_left_out,
    }
    write_run(prepared.out, run.made_of(origin))
    journal.close()
    return run.report


class EvaluateJob(Checked):
    """Which runs to test on which release; `cohorts` empty: on all that it has."""

    runs: tuple[Path, ...]
    release: str
    cohorts: tuple[str, ...]
    device: str


def evaluate_on_release(job: EvaluateJob) -> tuple[Evaluation, tuple[Unseen, ...]]:
    """The runs, by their folders' names, on the release's subjects that none was trained on, and their predictions.

    ValueError if two folders have one name, or nobody is left to test them on.
    """
    names = [folder.resolve().name for folder in job.runs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two runs are called {', '.join(twice)}: give folders of different names, once each")
    return evaluate_named(dict(zip(names, job.runs, strict=True)), job.release, job.cohorts, job.device)


def evaluate_named(
    folders: Mapping[str, Path], release: str, cohorts: Sequence[str], device: str
) -> tuple[Evaluation, tuple[Unseen, ...]]:
    """The same by names of their own. ValueError if nobody is left to test them on."""
    runs = {name: read_run(folder) for name, folder in folders.items()}
    released = open_cycles(release, common_task(list(runs.values())))
    tested = evaluate_together(runs, of_cohorts(released.cycles, cohorts), device_named(device))
    evaluation = Evaluation(
        release=released.identity,
        models=tuple(folders),
        subjects=tested[0].cycles.subjects,
        reports=tuple(one.report for one in tested),
        between=compared(tested),
    )
    return evaluation, tested


def on_unseen(folder: Path, release: str, device: str) -> Unseen:
    """A run's report and predictions on a release's subjects that it was not trained on."""
    run, where = read_run(folder), device_named(device)
    released = open_cycles(release, run.config.task)
    # Where it was trained on this release, its own test had baselines that know the same training subjects.
    if run.report is not None and run.config.origin.get("release") == released.identity:
        unseen = released.cycles.of(unseen_subjects(run, released.cycles))
        predicted = predict(run, unseen, where)
        return Unseen(name=run.config.model.name, report=run.report, cycles=unseen, predicted=predicted)
    return evaluate_together({run.config.model.name: run}, released.cycles, where)[0]


def one_of(what: str, word: str, known: tuple[Word, ...]) -> Word:
    """The known word. ValueError lists them if it is none."""
    for candidate in known:
        if candidate == word:
            return candidate
    raise ValueError(f"{what} {word!r}: expected one of {', '.join(known)}")
