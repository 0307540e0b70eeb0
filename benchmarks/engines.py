"""Both engines on one walk, one core, one run: `python -m benchmarks.engines [--json FILE] [--data DIR]`.

OpenSim's walking_3d (Rajagopal model, 80 muscles, 135 frames): inverse kinematics, inverse dynamics and static
optimization by OpenSim's own tools, at their default accuracy, and by engine `exact`. Times are processor time, reading
the model included, so that other work on the machine doesn't count.
"""

import argparse
import cProfile
import io
import json
import os
import pstats
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

# One core, as in a worker process: numpy reads it when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from pipeline.osim.engines import load_engine
from pipeline.osim.models import shared_model
from pipeline.records import Coordinates, FootWrench, Markers
from pipeline.session.recipe import InverseKinematicsSettings, load_recipe
from pipeline.signals import low_pass
from pipeline.solving.engine import Engine
from tests.parity.conftest import read_tasks_file, read_trc_file
from tests.parity.walking_3d import FEET, smooth_markers, wrench

SOLVES = ("ik", "id", "so")
# OpenSim's defaults of what says when its tools may stop; the rest is the packaged recipe's.
ACCURACY, CRITERION, ITERATIONS = 1e-5, 1e-4, 100
KINEMATICS = InverseKinematicsSettings(ik_accuracy=ACCURACY)
EFFORT = load_recipe("gait2hip60").static_optimization.model_copy(
    update={"convergence_criterion": CRITERION, "max_iterations": ITERATIONS}
)
REPEATS = 3
# What the profile's lines are added up to, by what their names contain; the first that fits.
PARTS = {
    "bodies in place (realize)": ("Model_realize",),
    "muscle paths and force": ("Geometry", "Inextensible", "addInEquivalentForces", "setLengtheningSpeed"),
    "Jacobians": ("calcSystemJacobian", "multiplyBySystemJacobianTranspose"),
    "inverse dynamics": ("InverseDynamicsSolver_solve",),
    "other calls of OpenSim": ("opensim",),
    "numpy's linear algebra": ("numpy.linalg", "linalg.py", "matmul"),
}
REST = "numpy and Python"


@dataclass(frozen=True)
class Walk:
    """What both engines are given."""

    model: Path
    markers: Markers
    weights: dict[str, float]
    wrenches: tuple[FootWrench, FootWrench]


def main() -> None:
    arguments = _arguments()
    walk = read_walk(arguments.data / "opensim_reference" / "walking_3d")
    n_frames = len(walk.markers.time_s)
    ms = {engine: 1e3 / n_frames * seconds(engine, walk) for engine in ("exact", "tools")}
    result = {
        "data": "walking_3d",
        "n_frames": n_frames,
        "ms_per_frame": {engine: _named(values) for engine, values in ms.items()},
        "ratio": _named(ms["tools"], ms["exact"]),
        "share_of_exact": profile(walk),
    }
    print(render(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


def read_walk(folder: Path) -> Walk:
    """The walk's markers, filtered as the chain filters them, its weights, ground reactions and model."""
    weights, _ = read_tasks_file(folder / "ik_tasks_walk.xml")
    return Walk(
        model=folder / "subject_walk_scaled.osim",
        markers=smooth_markers(read_trc_file(folder / "markers_walk.trc", 0.0, 10.0)),
        weights=weights,
        wrenches=(wrench(folder, "right"), wrench(folder, "left")),
    )


def seconds(engine: str, walk: Walk) -> np.ndarray:
    """Processor time of each solve: the median of a few runs of `exact`, which are soon over, and one of the tools."""
    repeats = REPEATS if engine == "exact" else 1
    return np.median([_run(engine, walk) for _ in range(repeats)], axis=0)


def _run(engine: str, walk: Walk) -> np.ndarray:
    shared_model.forget()
    solver, taken = load_engine(engine), []

    def timed(solve: Callable[[], object]) -> object:
        began = time.process_time()
        found = solve()
        taken.append(time.process_time() - began)
        return found

    with tempfile.TemporaryDirectory() as name, _silence():
        directory = Path(name)
        found = timed(
            lambda: solver.inverse_kinematics(
                walk.model, walk.markers, marker_weights=walk.weights, settings=KINEMATICS, directory=directory
            )
        ).coordinates
        motion = replace(found, values=low_pass(found.values, walk.markers.rate_hz, 15.0))
        timed(lambda: _moments(solver, walk, motion, directory))
        timed(lambda: _muscles(solver, walk, motion, directory))
    return np.array(taken)


def _moments(solver: Engine, walk: Walk, motion: Coordinates, directory: Path) -> object:
    return solver.inverse_dynamics(walk.model, motion, walk.wrenches, foot_bodies=FEET, directory=directory)


def _muscles(solver: Engine, walk: Walk, motion: Coordinates, directory: Path) -> object:
    return solver.static_optimization(
        walk.model,
        motion,
        walk.wrenches,
        foot_bodies=FEET,
        settings=EFFORT,
        directory=directory,
    )


def profile(walk: Walk) -> dict[str, float]:
    """Where `exact` spends its time, as shares; the profiler's own cost makes many small calls look dearer."""
    profiler = cProfile.Profile()
    profiler.runcall(_run, "exact", walk)
    stats = pstats.Stats(profiler, stream=io.StringIO())
    shares = dict.fromkeys([*PARTS, REST], 0.0)
    for (file, _, function), (_, _, own_s, _, _) in stats.stats.items():
        shares[_part(f"{file} {function}")] += own_s
    total = sum(shares.values())
    return {part: share / total for part, share in shares.items()}


def _part(name: str) -> str:
    return next((part for part, marks in PARTS.items() if any(mark in name for mark in marks)), REST)


def _named(values: np.ndarray, over: np.ndarray | None = None) -> dict[str, float]:
    whole = np.append(values, values.sum())
    if over is not None:
        whole = whole / np.append(over, over.sum())
    return {solve: round(float(value), 3) for solve, value in zip((*SOLVES, "total"), whole, strict=True)}


def render(result: dict) -> str:
    """The table for people."""
    lines = [
        f"{result['data']}, {result['n_frames']} frames: ms per frame",
        f"{'':8}{'exact':>10}{'tools':>10}{'ratio':>8}",
    ]
    for solve in (*SOLVES, "total"):
        ours, theirs = (result["ms_per_frame"][engine][solve] for engine in ("exact", "tools"))
        lines.append(f"{solve:8}{ours:10.2f}{theirs:10.1f}{result['ratio'][solve]:7.0f}x")
    lines += ["", "where exact spends its time"]
    lines += [f"{100 * share:5.0f} %  {part}" for part, share in result["share_of_exact"].items()]
    return "\n".join(lines)


@contextmanager
def _silence():
    """OpenSim's tools print each frame, past Python."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("GAIT2HIP_TEST_DATA", "../shared/data")),
        help="the folder of shared recordings",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
