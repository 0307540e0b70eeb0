"""What each ingest run computed and how long it took, to estimate the next one. No result depends on it."""

from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from warehouse.errors import WarehouseError
from warehouse.files import seal, storage
from warehouse.layout import RUNS, Warehouse, run_path, table_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRun:
    """One ingest run: its start (UTC), the trials computed (at least one), the trials that were fresh, its duration."""

    began: str
    n_computed: int
    n_fresh: int
    seconds: float
    workers: int

    @property
    def seconds_per_trial(self) -> float:
        """Seconds of one worker per computed trial, overheads included."""
        return self.seconds * self.workers / self.n_computed


def remember_run(warehouse: Warehouse, run: IngestRun, process: int) -> None:
    """Store what a run did; `process` tells apart two runs that began at the same time."""
    name = f"{run.began.partition('+')[0].replace(':', '')}-{process}"
    storage.write_bytes(warehouse, run_path(warehouse, name), seal.sealed_json(name, asdict(run)))


def last_run(warehouse: Warehouse) -> IngestRun | None:
    """The newest run that can be read, None if there is none."""
    for path in reversed(storage.files_under(warehouse, table_directory(warehouse, RUNS))):
        try:
            return _read(warehouse, path)
        except (WarehouseError, ValueError, TypeError):
            continue  # Written by another version, or damaged: an estimate is not worth an error.
    return None


def damaged_runs(warehouse: Warehouse) -> list[str]:
    """The paths of runs that can't be read: nothing is lost with them but an estimate."""
    damaged = []
    for path in storage.files_under(warehouse, table_directory(warehouse, RUNS)):
        try:
            _read(warehouse, path)
        except (WarehouseError, ValueError, TypeError):
            damaged.append(path)
    return damaged


def _read(warehouse: Warehouse, path: str) -> IngestRun:
    return IngestRun(**seal.open_json(PurePosixPath(path).stem, storage.read_bytes(warehouse, path)))
