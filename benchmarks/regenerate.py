"""How long regenerating targets takes: `python -m benchmarks.regenerate [--subjects 4] [--json FILE]`.

Makes a virtual laboratory, ingests it, and regenerates it twice by recipes that make everything but the scaled models
stale: once with one worker, once with two. Times are of the whole command but its start: plan, Prefect, worker
processes, reading, solving, storing. What comes before the first trial is done is told apart, since a longer
regeneration takes no more of it.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from flows.ingesting.plan import IngestPlan, plan_ingest
from flows.ingesting.regenerate import plan_regeneration, stale_part
from flows.ingesting.run_plan import run_plan
from pipeline.osim.log import quiet
from pipeline.session.recipe import read_settings
from pipeline.virtual.make_laboratory import make_laboratory
from pipeline.virtual.request import checked_request
from warehouse.files import read
from warehouse.layout import Warehouse
from warehouse.settings_file import parse_toml

# Gait2Hip-60 (arXiv 2605.30374): its trials are shorter than the virtual ones.
PUBLISHED_TRIALS, PUBLISHED_FRAMES = 713, 120_000
CUTOFFS_HZ = {1: 6.1, 2: 6.2}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One laboratory regenerated. efficiency: one worker's time over twice two workers'.

    plan_ms_per_trial: to find that all of it is up to date.
    seconds_to_first_trial, with two workers: until the first trial was done; minutes for others are that, and the pace
    of the trials after it.
    """

    n_trials: int
    n_accepted: int
    n_frames: int
    plan_ms_per_trial: float
    seconds_one_worker: float
    seconds_two_workers: float
    seconds_to_first_trial: float
    worker_seconds_per_trial: float
    frames_per_second_two_workers: float
    efficiency: float
    minutes_for_713_trials_like_these: float
    minutes_for_120000_frames: float
    peak_worker_mb: float


def main() -> None:
    arguments = _arguments()
    quiet()
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        figures = measure(Path(name), arguments.subjects, arguments.trials)
    for what, value in asdict(figures).items():
        print(f"{what.replace('_', ' '):36} {value:.2f}" if isinstance(value, float) else f"{what:36} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(figures), indent=1))


def measure(directory: Path, subjects: int, trials: int) -> Figures:
    """Make the laboratory, ingest it, and regenerate it by one worker and by two."""
    request = checked_request(
        directory / "laboratory",
        cohort="healthy",
        subjects=subjects,
        conditions="slow,med,fast",
        trials=trials,
        seed=1,
        blemishes="default",
    )
    folders = make_laboratory(request, on_session=lambda _: None)
    root = str(directory / "warehouse")
    plan = plan_ingest(folders, warehouse=root, recipe="gait2hip60", model=None)
    run_plan(plan, workers=2, on_progress=_unwatched)
    rows = [read.read_row(Warehouse(root), "trials", read.trial_key(t)) for t in read.trials(Warehouse(root))]
    began = time.perf_counter()
    assert not stale_part(plan_regeneration(root, recipe=None, model=None)).sessions, "all of it is fresh"
    plan_s = time.perf_counter() - began
    runs = {}
    for workers, cutoff_hz in CUTOFFS_HZ.items():
        plan = plan_regeneration(root, recipe=str(_recipe(directory, cutoff_hz)), model=None)
        assert sum(trial.to_do for trial in plan.trials) == len(rows), "everything is to be stale"
        runs[workers] = _timed(plan, workers)
    one, two = runs[1], runs[2]
    accepted = [row for row in rows if row["outcome"] == "accepted"]
    # A rejected trial's row doesn't tell its frames, though it cost time too: frames a second are a little too few.
    n_frames = sum(row["n_frames"] for row in accepted)
    # Two workers finish their first trials together.
    pace_s = (two.seconds - two.to_first_s) / max(len(rows) - 2, 1)
    return Figures(
        n_trials=len(rows),
        n_accepted=len(accepted),
        n_frames=n_frames,
        plan_ms_per_trial=1e3 * plan_s / len(rows),
        seconds_one_worker=one.seconds,
        seconds_two_workers=two.seconds,
        seconds_to_first_trial=two.to_first_s,
        worker_seconds_per_trial=one.seconds / len(rows),
        frames_per_second_two_workers=n_frames / two.seconds,
        efficiency=one.seconds / (2 * two.seconds),
        minutes_for_713_trials_like_these=(two.to_first_s + PUBLISHED_TRIALS * pace_s) / 60,
        minutes_for_120000_frames=(two.to_first_s + PUBLISHED_FRAMES * pace_s * len(rows) / n_frames) / 60,
        peak_worker_mb=max(one.peak_mb, two.peak_mb),
    )


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One regeneration: how long it took, all of it and to its first trial's end, and its largest worker."""

    seconds: float
    to_first_s: float
    peak_mb: float


def _timed(plan: IngestPlan, workers: int) -> _Run:
    done: list[float] = []
    with _peak_child_mb() as peak:
        began = time.perf_counter()
        run_plan(plan, workers=workers, on_progress=lambda _: lambda _: done.append(time.perf_counter()))
        ended = time.perf_counter()
    return _Run(seconds=ended - began, to_first_s=done[0] - began, peak_mb=peak())


def _recipe(directory: Path, cutoff_hz: float) -> Path:
    """The packaged recipe with another cut-off of markers and forces."""
    content = parse_toml(*read_settings("recipes", "gait2hip60"))
    content["markers"]["marker_cutoff_hz"] = content["ground_reactions"]["force_cutoff_hz"] = cutoff_hz  # type: ignore[index]
    lines = [f"name = {json.dumps(content['name'])}"]
    for section, values in content.items():
        if isinstance(values, dict):
            lines += [f"[{section}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    path = directory / f"cutoff_{cutoff_hz}.toml"
    path.write_text("\n".join(lines))
    return path


def _unwatched(_: int) -> Callable[[object], None]:
    return lambda _: None


@contextmanager
def _peak_child_mb() -> Iterator[Callable[[], float]]:
    """Gives the largest resident memory of any process below this one meanwhile, sampled twenty times a second."""
    largest, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            for child in psutil.Process().children(recursive=True):
                try:
                    largest[0] = max(largest[0], child.memory_info().rss / 2**20)
                except psutil.NoSuchProcess:
                    continue

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: largest[0]
    finally:
        stop.set()
        thread.join()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=4)
    parser.add_argument("--trials", type=int, default=2, help="of each of three conditions")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
