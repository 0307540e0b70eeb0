"""What each ingest run computed and how long it took, to estimate the next one. No result depends on it."""

import json
from dataclasses import asdict, dataclass

from warehouse.files import storage
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
    storage.write_bytes(warehouse, run_path(warehouse, name), json.dumps(asdict(run), indent=1).encode())


def last_run(warehouse: Warehouse) -> IngestRun | None:
    """The newest run that can be read, None if there is none."""
    for path in reversed(storage.files_under(warehouse, table_directory(warehouse, RUNS))):
        try:
            return IngestRun(**json.loads(storage.read_bytes(warehouse, path)))
        except (ValueError, TypeError):
            continue  # Written by another version, say: an estimate is not worth an error.
    return None
