"""What a large warehouse costs: `python -m benchmarks.warehouse [--trials 10000] [--json FILE]`.

Fakes a warehouse of that many trials, one gait cycle each, and measures `status`, cutting a release (its audit too),
and reading it for training, in processes of their own: seconds of the processor and of the clock, and peak memory.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from warehouse.channels import FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS, ipsilateral
from warehouse.files.build import build_table
from warehouse.files.write import to_parquet
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse, identity, scaled_model_path, table_path
from warehouse.metadata import Stored
from warehouse.schemas import PER_SESSION, PER_TRIAL, schema_of

POINTS = 180
TRIALS_PER_SUBJECT = 12
CONDITIONS = ("slow", "med", "fast")
MADE = {"key": "0" * 32, "recipe": "gait2hip60"}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One piece of work: processor and clock seconds, and the process's largest resident memory."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        began = time.perf_counter()
        root = str(Path(name, "warehouse"))
        fill(root, arguments.trials)
        print(f"{arguments.trials} trials faked in {time.perf_counter() - began:.0f} s")
        costs = {what: in_a_process(work, root) for what, work in WORK.items()}
    print(f"{'':24} {'CPU':>8} {'clock':>8} {'memory':>9}")
    for what, cost in costs.items():
        print(f"{what:24} {cost.cpu_s:6.2f} s {cost.wall_s:6.2f} s {cost.peak_mb:6.0f} MB")
    if arguments.json:
        figures = {"n_trials": arguments.trials, **{what: asdict(cost) for what, cost in costs.items()}}
        arguments.json.write_text(json.dumps(figures, indent=1))


def fill(root: str, n_trials: int) -> None:
    """Write a whole warehouse of accepted trials, a dozen a subject, without waiting for the disk."""
    warehouse, random = Warehouse(root), np.random.default_rng(0)
    shape = _mean_cycle()
    filler = Path(root, "filler")
    filler.parent.mkdir(parents=True)
    filler.write_bytes(b"what is listed, but not read here")
    for number in range(n_trials):
        subject, trial = divmod(number, TRIALS_PER_SUBJECT)
        key = TrialKey(cohort="faked", subject=f"F{subject:04d}", session="day1", trial=f"walk_{trial:02d}")
        if trial == 0:
            build = 1 + 0.15 * random.standard_normal(len(shape))
            _write_session(warehouse, key, filler)
        style = build * (1 + 0.05 * random.standard_normal(len(shape)))
        curves = {name: curve * factor for (name, curve), factor in zip(shape.items(), style, strict=True)}
        _write_trial(warehouse, key, CONDITIONS[trial % 3], curves, filler)
    filler.unlink()


def in_a_process(work: Callable[[str], object], root: str) -> Cost:
    """Do it in a new process, what it imports not counted."""
    context = get_context("spawn")
    mine, its = context.Pipe()
    process = context.Process(target=_measured, args=(work, root, its))
    process.start()
    cost: Cost = mine.recv()
    process.join()
    return cost


def survey(root: str) -> object:
    """What `gait2hip status` reads, without comparing with recordings."""
    from warehouse.holdings.status import status_text, warehouse_status

    return status_text(warehouse_status(Warehouse(root)))


def cut(root: str) -> object:
    """What `gait2hip release` does."""
    from functools import partial

    from reports.audit.release import audit_for_release
    from warehouse.release.build import ReleaseOrder, build_release
    from warehouse.release.cycles_file import Sampling
    from warehouse.release.selection import Selection
    from warehouse.release.split import hold_out_drawn

    order = ReleaseOrder(
        name="large",
        selection=Selection(),
        sampling=Sampling(sides="both", points=None),
        split=partial(hold_out_drawn, fraction=0.2, seed=1),
        audit=audit_for_release,
        licence=None,
    )
    return build_release(Warehouse(root), order)


def load(root: str) -> object:
    """What training reads, checked against the manifest."""
    from warehouse.release.arrays import load as arrays

    return arrays(str(next(Path(root, "releases").iterdir())))


def audit(root: str) -> object:
    """What `gait2hip audit` does, but for the page: the verdicts made anew."""
    from reports.audit.audit import audit_cycles as judged
    from reports.audit.release import cycles_of_release
    from warehouse.release.publish import open_release

    return judged(cycles_of_release(open_release(str(next(Path(root, "releases").iterdir())))))


WORK: dict[str, Callable[[str], object]] = {
    "status": survey,
    "cut a release": cut,
    "read it for training": load,
    "audit it anew": audit,
}


def _measured(work: Callable[[str], object], root: str, answer: Connection) -> None:

    clock_s, cpu_s = time.perf_counter(), time.process_time()
    kept = work(root)
    cost = Cost(
        cpu_s=time.process_time() - cpu_s,
        wall_s=time.perf_counter() - clock_s,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    answer.send(cost)
    del kept


def _mean_cycle() -> dict[str, np.ndarray]:
    phase = np.linspace(0, 1, POINTS)
    names = [*(ipsilateral(name) for name in INPUT_COORDINATES), *FORCE_CHANNELS, *MOMENT_CHANNELS]
    return {
        name: 10 * np.cos(2 * np.pi * (phase - index / len(names))) + 3 * np.sin(4 * np.pi * phase + index)
        for index, name in enumerate(names)
    }


def _write_session(warehouse: Warehouse, key: TrialKey, filler: Path) -> None:
    row = {"recipe": "gait2hip60", "model": "faked", "mass_kg": 70.0, "height_m": 1.75, "n_trials": TRIALS_PER_SUBJECT}
    _write(warehouse, "sessions", key, {name: [value] for name, value in row.items()})
    _write(warehouse, "subjects", key, {"sex": [None]})
    for table in PER_SESSION[1:]:
        _link(filler, table_path(warehouse, table, "session", key))
    _link(filler, scaled_model_path(warehouse, key))


def _write_trial(
    warehouse: Warehouse, key: TrialKey, condition: str, curves: dict[str, np.ndarray], filler: Path
) -> None:
    same = {"start_s": 1.0, "duration_s": 1.1, "toe_off_phase": 0.62, "margin_s": 0.2, "mass_kg": 70.0}
    columns = {
        "condition": [condition] * POINTS,
        "side": ["right"] * POINTS,
        "cycle": np.zeros(POINTS, dtype=int),
        **{name: np.full(POINTS, value) for name, value in same.items()},
        "sample": np.arange(POINTS),
        "phase": np.linspace(0, 1, POINTS),
        **curves,
    }
    _write(warehouse, "cycles", key, columns)
    row = {
        "condition": condition,
        "outcome": "accepted",
        "source": f"{key.trial}.c3d",
        "n_cycles_right": 1,
        "n_cycles_left": 0,
        "marker_rms_max_m": 0.01,
        "saturated_ratio_max": 0.0,
        "warnings": [],
    }
    _write(warehouse, "trials", key, {name: [value] for name, value in row.items()})
    for table in PER_TRIAL:
        _link(filler, table_path(warehouse, table, "trial", key))


def _write(warehouse: Warehouse, table: str, key: TrialKey, columns: dict) -> None:
    schema = schema_of(table)
    content = build_table(schema, key, columns, {})
    summary = {name: content.column(name)[0].as_py() for name in schema.summary}
    stored = Stored(table=table, identity=identity(schema.level, key), summary=summary, made_from=MADE_FROM, **MADE)
    path = Path(table_path(warehouse, table, schema.level, key))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_parquet(schema, content, stored))


# As much as a real trial's row says of what made it.
MADE_FROM = {"settings": {f"section_{n}": {f"setting_{m}": 0.1 * m for m in range(12)} for n in range(8)}}


def _link(filler: Path, path: str) -> None:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(filler, target)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
