"""The progress of a training, kept in a folder, so that the same command resumes where an earlier one was interrupted.

A protocol trains one network after the other, always in the same order. Each network has a file with everything that
`NetworkTraining.resume` needs: finished trainings are read back, the interrupted one continues. On one machine's CPU
with the same number of threads the weights are then bit for bit those of an uninterrupted training; other machines and
thread counts add in another order.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import JsonValue, TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from models.training.network_training import NetworkTraining, TrainingProgress, TrainingState
from models.training.training_loop import Interrupted
from warehouse.files import storage
from warehouse.layout import Warehouse

# A power cut costs this much work at most, or one epoch.
_SAVED_EVERY_S = 60.0
_JOB = "job.json"
_PROGRESS = "facts"  # its name in the file's metadata

# Called with each training that has ended or was interrupted: its number, counted from one, and its progress.
ProgressListener = Callable[[int, TrainingProgress], None]

_Entries = TypeAdapter(dict[str, JsonValue])


class Journal:
    """Training callbacks that keep each training's state in a folder, until `close` removes it."""

    def __init__(
        self, folder: Path, provenance: Mapping[str, JsonValue], stop: Callable[[], bool], listener: ProgressListener
    ) -> None:
        """`provenance` is everything the weights depend on; `stop` is asked between batches whether to end.

        ValueError if the folder keeps trainings of another provenance. It is made when there is something to keep.
        """
        self._store, self._stop, self._listener = Warehouse(str(folder)), stop, listener
        self._folder, self._number, self._saved_epochs, self._saved_s = folder, 0, 0, time.monotonic()
        self._last: TrainingState | None = None
        self._provenance = dict(provenance)
        _refuse_another(folder, self._provenance)

    def begin(self, training: NetworkTraining) -> None:
        """Resumes the training if its state is kept. ValueError for a damaged file."""
        self._number += 1
        self._last = _read(self._file) if self._file.exists() else None
        if self._last is not None:
            training.resume(self._last)
        self._saved_epochs, self._saved_s = training.epoch, time.monotonic()

    def between_batches(self) -> None:
        """If it was asked to stop, saves the last whole epoch and raises Interrupted."""
        if not self._stop():
            return
        self._save()
        if self._last is not None:
            self._listener(self._number, self._last.progress)
        raise Interrupted(
            f"interrupted in training {self._number}, after {self._saved_epochs} of its epochs. {self._what_is_kept()}"
        )

    def after_epoch(self, training: NetworkTraining) -> None:
        """Keeps the epoch's state, and saves it about once a minute. WarehouseError if the disk is full."""
        self._last = training.state()
        if time.monotonic() - self._saved_s >= _SAVED_EVERY_S:
            self._save()

    def end(self) -> None:
        """Saves the last epoch. WarehouseError if the disk is full."""
        self._save()
        assert self._last is not None, "a training has at least one epoch"
        self._listener(self._number, self._last.progress)

    def close(self) -> None:
        """Removes the folder: the run is written, so nothing in it is needed."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _what_is_kept(self) -> str:
        if not (self._folder / _JOB).exists():
            return "Nothing was learned yet and nothing is kept: the same command begins anew."
        return f"{self._folder} keeps what was learned: the same command goes on from there."

    @property
    def _file(self) -> Path:
        return self._folder / f"training-{self._number:04d}.safetensors"

    def _save(self) -> None:
        self._saved_s = time.monotonic()
        if self._last is None or self._saved_epochs == len(self._last.progress.curve):
            return
        tensors = {name: value.cpu().contiguous() for name, value in self._last.tensors.items()}
        content = save(tensors, metadata={_PROGRESS: self._last.progress.model_dump_json()})
        if not (job := self._folder / _JOB).exists():
            storage.write_bytes(self._store, str(job), _Entries.dump_json(self._provenance, indent=2))
        storage.write_bytes(self._store, str(self._file), content)
        self._saved_epochs = len(self._last.progress.curve)


def unfinished_folder(out: Path) -> Path:
    """Where the journal of a run that is not written yet lies: beside it."""
    return out.with_name(f"{out.name}.unfinished")


def _refuse_another(folder: Path, provenance: dict[str, JsonValue]) -> None:
    file = folder / _JOB
    if not file.exists():
        return
    with storage.describe_os_errors("read", str(file)):
        kept = _Entries.validate_json(file.read_bytes())
    if differing := sorted(name for name in {*kept, *provenance} if kept.get(name) != provenance.get(name)):
        raise ValueError(
            f"{folder} keeps an interrupted training of something else (another {', '.join(differing)}): finish it by "
            "its own command, remove that folder, or name another output."
        )


def _read(file: Path) -> TrainingState:
    try:
        with storage.describe_os_errors("read", str(file)), safe_open(file, framework="pt") as opened:
            progress = TrainingProgress.model_validate_json(opened.metadata()[_PROGRESS])
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            return TrainingState(tensors=tensors, progress=progress)
    except SafetensorError as error:
        raise ValueError(f"{file} is damaged ({error}): remove it, and this training begins anew.") from error
