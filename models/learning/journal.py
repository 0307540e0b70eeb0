"""What a training has learned so far, kept in a folder: the same command goes on where an earlier one was ended.

A protocol trains one network after the other, in an order that is the same whenever the command is the same. Each has
a file of its own, which holds everything that `Training.resume` needs: those that were over are read back, the one that
was interrupted goes on, and weights come out bit for bit as if nothing had happened, on the
same machine's CPU and with as many threads: other machines, and other numbers of threads, add in another order.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import JsonValue, TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from models.learning.training import Facts, Stand, Training
from models.learning.watch import Interrupted
from warehouse.files import storage
from warehouse.layout import Warehouse

# A power cut costs this much work at most, or one epoch.
_SAVED_EVERY_S = 60.0
_JOB = "job.json"
_FACTS = "facts"

# Is told of each training that is over, or interrupted: its number, counted from one, and what is known of it.
Listener = Callable[[int, Facts], None]

_Entries = TypeAdapter(dict[str, JsonValue])


class Journal:
    """A watch (`models/learning/watch.py`) that keeps what it sees in a folder, until `close` removes it."""

    def __init__(
        self, folder: Path, job: Mapping[str, JsonValue], stop: Callable[[], bool], listener: Listener
    ) -> None:
        """`job` is all that the weights follow from; `stop` is asked between batches whether to end.

        ValueError if the folder keeps another job's trainings. It is made when there is something to keep.
        """
        self._store, self._stop, self._listener = Warehouse(str(folder)), stop, listener
        self._folder, self._number, self._saved_epochs, self._saved_s = folder, 0, 0, time.monotonic()
        self._last: Stand | None = None
        self._job = dict(job)
        _refuse_another(folder, self._job)

    def begin(self, training: Training) -> None:
        """Sets the training to where it was, if it was begun before. ValueError for a damaged file."""
        self._number += 1
        self._last = _read(self._file) if self._file.exists() else None
        if self._last is not None:
            training.resume(self._last)
        self._saved_epochs, self._saved_s = training.epoch, time.monotonic()

    def between_batches(self) -> None:
        """Keeps the last whole epoch and raises Interrupted, if it was asked to stop."""
        if not self._stop():
            return
        self._save()
        if self._last is not None:
            self._listener(self._number, self._last.facts)
        raise Interrupted(
            f"interrupted in training {self._number}, after {self._saved_epochs} of its epochs. {self._what_is_kept()}"
        )

    def after_epoch(self, training: Training) -> None:
        """Remembers the epoch, and writes it down once in a while. WarehouseError if the disk is full."""
        self._last = training.stand()
        if time.monotonic() - self._saved_s >= _SAVED_EVERY_S:
            self._save()

    def end(self) -> None:
        """Writes down the last epoch. WarehouseError if the disk is full."""
        self._save()
        assert self._last is not None, "a training has at least one epoch"
        self._listener(self._number, self._last.facts)

    def close(self) -> None:
        """Removes the folder: everything that was learned is kept elsewhere now."""
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
        if self._last is None or self._saved_epochs == len(self._last.facts.curve):
            return
        tensors = {name: value.cpu().contiguous() for name, value in self._last.tensors.items()}
        content = save(tensors, metadata={_FACTS: self._last.facts.model_dump_json()})
        if not (job := self._folder / _JOB).exists():
            storage.write_bytes(self._store, str(job), _Entries.dump_json(self._job, indent=2))
        storage.write_bytes(self._store, str(self._file), content)
        self._saved_epochs = len(self._last.facts.curve)


def unfinished(out: Path) -> Path:
    """Where the trainings of a run that is not written yet are kept: beside it."""
    return out.with_name(f"{out.name}.unfinished")


def _refuse_another(folder: Path, job: dict[str, JsonValue]) -> None:
    file = folder / _JOB
    if not file.exists():
        return
    with storage.describe_os_errors("read", str(file)):
        found = _Entries.validate_json(file.read_bytes())
    if differing := sorted(name for name in {*found, *job} if found.get(name) != job.get(name)):
        raise ValueError(
            f"{folder} keeps an interrupted training of something else (another {', '.join(differing)}): finish it by "
            "its own command, remove that folder, or name another output."
        )


def _read(file: Path) -> Stand:
    try:
        with storage.describe_os_errors("read", str(file)), safe_open(file, framework="pt") as opened:
            facts = Facts.model_validate_json(opened.metadata()[_FACTS])
            return Stand(tensors={name: opened.get_tensor(name) for name in opened.keys()}, facts=facts)  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{file} is damaged ({error}): remove it, and this training begins anew.") from error
