"""`gait2hip train`: from the words of a command to a trained run in a folder."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, get_args

import torch
from pydantic import JsonValue

from models.data.channels import Task
from models.data.released_cycles import ReleasedCycles, cycles_bytes, load_released_cycles
from models.networks.device import device_named
from models.predicting.new_files import refuse_existing, refuse_unwritable
from models.predicting.trained_run import write_run
from models.scoring.report import Report
from models.training.journal import Journal, ProgressListener, unfinished_folder
from models.training.protocols import PROTOCOLS, ProtocolName, train_and_test
from models.training.recipe import load_training_recipe
from models.training.run_lock import RunLock
from models.training.train_on_split import TrainingSetup
from warehouse.files.on_disk import in_memory, on_disk
from warehouse.settings_file import Checked

# Raise it when a change of code changes the weights of the same request: an interrupted training of another version is
# refused, never continued.
TRAINING_VERSION = 1

Word = TypeVar("Word", bound=str)


class TrainRequest(Checked):
    """What to train on what, in the words of the command line.

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
class PreparedTraining:
    """A checked request: what to train on what, and the folder where the run will be written.

    `lock` keeps other trainings from that folder.
    """

    setup: TrainingSetup
    protocol: ProtocolName
    released: ReleasedCycles
    out: Path
    lock: RunLock

    def provenance(self) -> dict[str, JsonValue]:
        """Everything that the weights depend on, in plain values."""
        return {
            "model": self.setup.model.name,
            "task": self.setup.task,
            "protocol": self.protocol,
            "recipe": self.setup.recipe.model_dump(mode="json"),
            "release": self.released.identity,
            # Its hash: a large cohort's names are longer than MLflow's values may be.
            "split": hashlib.sha256(self.released.split.model_dump_json().encode()).hexdigest(),
            "device": self.setup.device.type,
            "torch": torch.__version__,
            "training_version": TRAINING_VERSION,
        }


def prepare_training(request: TrainRequest, out: Path) -> PreparedTraining:
    """Checks the request, locks the folder and reads the release; nothing is trained or written yet.

    ValueError if the folder exists, another training is running into it, or a name is unknown; WarehouseError if it
    can't be written.
    """
    refuse_unwritable(out)
    task = _one_of("task", request.task, get_args(Task))
    protocol: ProtocolName = _one_of("protocol", request.protocol, tuple(PROTOCOLS))
    recipe = load_training_recipe(request.recipe)
    model, device = recipe.model(request.model), device_named(request.device)
    lock = RunLock(out)
    try:
        # Checked again: another training may have written it since.
        refuse_existing(out)
        released = _load_released(request, task, out)
    except BaseException:
        lock.release()
        raise
    setup = TrainingSetup(model=model, task=task, recipe=recipe, device=device)
    return PreparedTraining(setup=setup, protocol=protocol, released=released, out=out, lock=lock)


def _load_released(request: TrainRequest, task: Task, out: Path) -> ReleasedCycles:
    # Beside the run, on a disk meant for data: a temporary folder may itself be in memory.
    fits = cycles_bytes(request.release, task) <= request.memory_mb * 2**20
    return load_released_cycles(request.release, task, in_memory if fits else on_disk(unfinished_folder(out)))


def train(prepared: PreparedTraining, stop: Callable[[], bool], listener: ProgressListener) -> Report:
    """Trains, tests and writes the run, resuming an interrupted training of the same request. Unlocks the folder.

    `stop` is asked between batches whether to end; `listener` is given each training's learning curve. Interrupted if
    `stop` says so, WarehouseError if the disk is full.
    """
    try:
        return _train(prepared, stop, listener)
    finally:
        prepared.lock.release()


def _train(prepared: PreparedTraining, stop: Callable[[], bool], listener: ProgressListener) -> Report:
    journal = Journal(unfinished_folder(prepared.out), prepared.provenance(), stop, listener)
    setup, released = replace(prepared.setup, callbacks=journal), prepared.released
    run = train_and_test(setup, prepared.protocol, released.cycles, released.split)
    assert run.report is not None, "it was just tested"
    origin: dict[str, JsonValue] = {
        "release": released.identity,
        "protocol": prepared.protocol,
        "cycles_left_out": released.n_left_out,
    }
    write_run(prepared.out, run.with_origin(origin))
    journal.close()
    return run.report


def _one_of(what: str, word: str, known: tuple[Word, ...]) -> Word:
    """The known word. ValueError lists them if it is none."""
    for candidate in known:
        if candidate == word:
            return candidate
    raise ValueError(f"{what} {word!r}: expected one of {', '.join(known)}")
