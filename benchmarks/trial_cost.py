"""Where a worker's time goes, from C3D to Parquet: `python -m benchmarks.trial_cost FOLDER [--only ID ...]`.

FOLDER is what `python -m benchmarks.people FOLDER` made; its warehouse is copied, and nothing in FOLDER changes. Each
session's first walk is taken again and again in this process: first with the model still to be read, as a worker
meets a session, then warm. Processor time in ms, the least of all repeats, means over sessions; parts within parts
count in both. The first session is left out of what a new session costs: it also loads compiled code.
"""

import os

# One core, as in a worker process: numpy reads it when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import numpy as np

import pipeline.ground.observe_walk as observing
import pipeline.osim.models.shared_model as sharing
import pipeline.process_trial as processing
import pipeline.solving.solve as solving
import pipeline.storing.ingest_trial as ingesting
import pipeline.storing.store_trial as storing
from benchmarks.solved_walks import people_parser
from benchmarks.tables import Cell, markdown
from pipeline.osim.log import quiet
from pipeline.session.session import load_session
from pipeline.storing.request import SessionRequest

# Functions that are timed, where their callers find them.
PARTS: tuple[tuple[ModuleType, str], ...] = (
    (sharing, "read_shared_model"),
    (ingesting, "standing_subject"),
    (ingesting, "process_trial"),
    (processing, "observe_passes"),
    (observing, "read_recording"),
    (observing, "trajectories"),
    (observing, "ground_reactions"),
    (processing, "joint_kinematics"),
    (processing, "solve_forces"),
    (solving, "muscle_forces"),
    (processing, "joint_angles"),
    (processing, "lag_of_walk"),
    (processing, "cut_cycles"),
    (ingesting, "store_accepted"),
    (storing, "table_file"),
    (storing, "write_together"),
)
WHOLE = "a walk"


@contextmanager
def timed(parts: Sequence[tuple[ModuleType, str]]) -> Iterator[dict[str, float]]:
    """Seconds of processor time in each of these functions, by name, while this lasts."""
    spent: dict[str, float] = defaultdict(float)
    with ExitStack() as patched:
        for module, name in parts:
            patched.enter_context(patch.object(module, name, _clocked(getattr(module, name), name, spent)))
        yield spent


def _clocked(function: object, name: str, spent: dict[str, float]) -> object:
    def clocked(*args: object, **keywords: object) -> object:
        began = time.process_time()
        try:
            return function(*args, **keywords)  # type: ignore[operator]
        finally:
            spent[name] += time.process_time() - began

    return clocked


def main() -> None:
    parser = people_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=6)
    arguments = parser.parse_args()
    quiet()
    cold: list[Mapping[str, float]] = []
    warm: list[Mapping[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        warehouse = Path(name) / "warehouse"
        shutil.copytree(arguments.folder / "warehouse", warehouse)
        for file in sorted((arguments.folder / "sessions").glob("*.toml")):
            if not arguments.only or file.stem in arguments.only:
                request = SessionRequest(
                    session_file=str(file.absolute()), recipe=arguments.recipe, model=None, warehouse=str(warehouse)
                )
                runs = [once(request, warehouse) for _ in range(1 + arguments.repeats)]
                cold.append(runs[0])
                warm.append(least(runs[1:]))
    print(cost_table(cold[1:], warm))


def once(request: SessionRequest, warehouse: Path) -> dict[str, float]:
    """What the session's first walk costs, seconds by part, if it has not been stored."""
    trial = load_session(Path(request.session_file)).trials[0].name
    for stored in warehouse.rglob(f"{trial}.parquet"):
        stored.unlink()
    with timed(PARTS) as spent:
        began = time.process_time()
        ingesting.ingest_trial(request, trial)
        return {**spent, WHOLE: time.process_time() - began}


def least(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The least of each part."""
    return {name: min(run.get(name, 0.0) for run in runs) for name in (WHOLE, *(name for _, name in PARTS))}


def cost_table(cold: Sequence[Mapping[str, float]], warm: Sequence[Mapping[str, float]]) -> str:
    """A row a part: warm, and what the first walk of a session takes more; a dash without one."""
    rows: list[list[Cell]] = []
    for name in (WHOLE, *(name for _, name in PARTS)):
        usual = 1e3 * float(np.mean([run[name] for run in warm]))
        first = 1e3 * float(np.mean([run.get(name, 0.0) for run in cold])) if cold else float("nan")
        rows.append([name, usual, first - usual])
    return markdown(("processor time, ms", "a walk", "the first of a session takes more"), rows, (0, 0, 0))


if __name__ == "__main__":
    main()
