"""What each run computed and how long it took: for estimates and for people. No result depends on it."""

import json
from dataclasses import asdict, dataclass

from warehouse.files import storage
from warehouse.layout import RUNS, Warehouse, run_path, table_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRun:
    """One run: when it began (UTC), how many trials it computed, one at least, how many were fresh, and how long."""

    began: str
    n_computed: int
    n_fresh: int
    seconds: float
    workers: int

    @property
    def seconds_per_trial(self) -> float:
        """One worker's time for a trial, overheads included."""
        return self.seconds * self.workers / self.n_computed


def remember_run(warehouse: Warehouse, run: IngestRun, process: int) -> None:
    """Keep a run's account; `process` keeps two that began at once apart."""
    name = f"{run.began.partition('+')[0].replace(':', '')}-{process}"
    storage.write_bytes(warehouse, run_path(warehouse, name), json.dumps(asdict(run), indent=1).encode())


def last_run(warehouse: Warehouse) -> IngestRun | None:
    """The newest run; None if there is none that can be read."""
    for path in reversed(storage.files_under(warehouse, table_directory(warehouse, RUNS))):
        try:
            return IngestRun(**json.loads(storage.read_bytes(warehouse, path)))
        except (ValueError, TypeError):
            continue  # Of another version of gait2hip, say: an estimate is not worth an error.
    return None
