"""Both engines on one walk, one core, one run: `python -m benchmarks.engines [--json FILE] [--data DIR]`.

OpenSim's walking_3d (Rajagopal model, 80 muscles, 135 frames): inverse kinematics, inverse dynamics and static
optimization by OpenSim's own tools, at their default accuracy, and by engine `exact`; then what checks and uses the
muscles' forces. Times are processor time, so that other work on the machine counts little.

Engine `exact` has its compiled code and the model in memory, as a worker has from its second trial on; what reading the
model takes stands beside. The tools read the model in every call, as they do in a worker.
"""

import argparse
import cProfile
import io
import json
import os
import pstats
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# One core, as in a worker process: numpy reads it when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from pipeline.osim.engines import load_engine
from pipeline.osim.log import quiet
from pipeline.osim.models.model import load_model
from pipeline.osim.models.shared_model import read_shared_model
from pipeline.records import Coordinates, FootWrench, GeneralizedForces, Markers, MuscleForces
from pipeline.session.recipe import InverseKinematicsSettings, MechanicsLaw, load_recipe
from pipeline.signals import low_pass
from pipeline.solving.engine import Engine
from tests.parity.conftest import read_tasks_file, read_trc_file
from tests.parity.walking_3d import FEET, smooth_markers, wrench

SOLVES = ("ik", "id", "so")
# What only engine `exact` is timed at: muscles are laid along their paths, once for what follows from them.
AFTERWARDS = ("paths", "balance", "loads")
# OpenSim's defaults of what says when its tools may stop; the rest is the packaged recipe's.
ACCURACY, CRITERION, ITERATIONS = 1e-5, 1e-4, 100
KINEMATICS = InverseKinematicsSettings(ik_accuracy=ACCURACY)
EFFORT = load_recipe("gait2hip60").static_optimization.model_copy(
    update={"convergence_criterion": CRITERION, "max_iterations": ITERATIONS}
)
# The recipe's default.
LAW: MechanicsLaw = "corrected"
REPEATS, READS, PROFILED = 9, 3, 10
# The functions whose whole time the profile adds up; none of them calls another.
PARTS = {
    "marker fit": ("fit_poses",),
    "splines of motion and ground reactions": ("differentiated", "wrenches_about_origin"),
    "inverse dynamics": ("generalized_forces",),
    "muscle paths and equations": ("frame_equations",),
    "least effort": ("least_effort_in_blocks",),
    "muscles laid for balance and loads": ("_lay_in_blocks",),
    "forces in joints, balance": ("joint_forces", "virtual_work"),
}
CALLED = (
    "inverse_kinematics",
    "inverse_dynamics",
    "static_optimization",
    "laid_muscles",
    "muscle_balance",
    "joint_loads",
)
REST = "records, OpenSim's log, settings"


@dataclass(frozen=True)
class Walk:
    """What both engines are given."""

    model: Path
    markers: Markers
    weights: dict[str, float]
    wrenches: tuple[FootWrench, FootWrench]


def main() -> None:
    arguments = _arguments()
    quiet()
    result = speeds_of(read_walk(arguments.data / "opensim_reference" / "walking_3d"))
    print(render(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


def speeds_of(walk: Walk) -> dict[str, Any]:
    """Both engines' times on a walk, their ratio, and where `exact` spends its own."""
    shares, compiled = profile(walk)
    per_frame = 1e3 / len(walk.markers.time_s)
    exact = np.median([_run("exact", walk) for _ in range(REPEATS)], axis=0) * per_frame
    tools = _run("tools", walk)[: len(SOLVES)] * per_frame
    return {
        "data": "walking_3d",
        "n_frames": len(walk.markers.time_s),
        "ms_per_frame": {"exact": _named(exact), "tools": _named(tools)},
        "ratio": _named(tools, exact),
        "model_ms": {engine: round(1e3 * reading_s(engine, walk), 1) for engine in ("exact", "tools")},
        "share_of_exact": shares,
        "share_compiled": compiled,
    }


def read_walk(folder: Path) -> Walk:
    """The walk's markers, filtered as the chain filters them, its weights, ground reactions and model."""
    weights, _ = read_tasks_file(folder / "ik_tasks_walk.xml")
    return Walk(
        model=folder / "subject_walk_scaled.osim",
        markers=smooth_markers(read_trc_file(folder / "markers_walk.trc", 0.0, 10.0)),
        weights=weights,
        wrenches=(wrench(folder, "right"), wrench(folder, "left")),
    )


def reading_s(engine: str, walk: Walk) -> float:
    """Processor time to read the model: into arrays for `exact`, as OpenSim has it for `tools`, which do it thrice."""
    read = read_shared_model if engine == "exact" else load_model
    return float(np.median([_taken(lambda: read(walk.model))[1] for _ in range(READS)]))


def _run(engine: str, walk: Walk) -> np.ndarray:
    """Processor time of each of `SOLVES`, and for engine `exact` of `AFTERWARDS`."""
    solver = load_engine(engine)
    with tempfile.TemporaryDirectory() as name, silence():
        directory = Path(name)
        found, ik_s = _taken(
            lambda: solver.inverse_kinematics(
                walk.model, walk.markers, marker_weights=walk.weights, settings=KINEMATICS, directory=directory
            )
        )
        motion = replace(found.coordinates, values=low_pass(found.coordinates.values, walk.markers.rate_hz, 15.0))
        moments, id_s = _taken(lambda: _moments(solver, walk, motion, directory))
        forces, so_s = _taken(lambda: _muscles(solver, walk, motion, directory))
        if engine == "tools":
            return np.array([ik_s, id_s, so_s])
        laid, laid_s = _taken(lambda: solver.laid_muscles(walk.model, motion, forces, mechanics=LAW))
        _, balance_s = _taken(lambda: solver.muscle_balance(walk.model, motion, moments, forces, laid))
        _, loads_s = _taken(
            lambda: solver.joint_loads(walk.model, motion, walk.wrenches, laid, foot_bodies=FEET, mechanics=LAW)
        )
    return np.array([ik_s, id_s, so_s, laid_s, balance_s, loads_s])


def _taken(solve: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    found = solve()
    return found, time.process_time() - began


def _moments(solver: Engine, walk: Walk, motion: Coordinates, directory: Path) -> GeneralizedForces:
    return solver.inverse_dynamics(
        walk.model, motion, walk.wrenches, foot_bodies=FEET, mechanics=LAW, directory=directory
    )


def _muscles(solver: Engine, walk: Walk, motion: Coordinates, directory: Path) -> MuscleForces:
    return solver.static_optimization(
        walk.model,
        motion,
        walk.wrenches,
        foot_bodies=FEET,
        mechanics=LAW,
        settings=EFFORT,
        directory=directory,
    )


def profile(walk: Walk) -> tuple[dict[str, float], float]:
    """Where `exact` spends its time, as shares, and the share of it in compiled code.

    The profiler's own cost makes many small calls look dearer.
    """
    _run("exact", walk)
    profiler = cProfile.Profile(time.process_time)
    for _ in range(PROFILED):
        profiler.runcall(_run, "exact", walk)
    stats: dict = pstats.Stats(profiler, stream=io.StringIO()).stats  # type: ignore[attr-defined]
    whole: Counter[str] = Counter()
    compiled = 0.0
    for (file, _, function), (_, _, own_s, cumulative_s, _) in stats.items():
        if f"{os.sep}pipeline{os.sep}" in file:
            whole[function] += cumulative_s
        # A compiled function's time shows as its own; what calls it takes next to none.
        if f"{os.sep}mechanics{os.sep}" in file:
            compiled += own_s
    total = sum(whole[solve] for solve in CALLED)
    shares = {part: sum(whole[name] for name in names) / total for part, names in PARTS.items()}
    shares = {**shares, REST: 1 - sum(shares.values())}
    return {part: round(share, 3) for part, share in shares.items()}, round(compiled / total, 3)


def _named(values: np.ndarray, over: np.ndarray | None = None) -> dict[str, float]:
    """By solve, with the three solves' sum under `total`, and what comes afterwards if it was timed; over others'."""
    named = {**dict(zip((*SOLVES, *AFTERWARDS), values, strict=False)), "total": values[: len(SOLVES)].sum()}
    if over is not None:
        named = {name: value / _named(over)[name] for name, value in named.items()}
    return {name: round(float(value), 4) for name, value in named.items()}


def render(result: dict) -> str:
    """The table for people."""
    per_frame, reading = result["ms_per_frame"], result["model_ms"]
    lines = [
        f"{result['data']}, {result['n_frames']} frames: ms per frame",
        f"{'':8}{'exact':>10}{'tools':>10}{'ratio':>8}",
    ]
    for solve in (*SOLVES, "total"):
        ours, theirs = (per_frame[engine][solve] for engine in ("exact", "tools"))
        lines.append(f"{solve:8}{ours:10.3f}{theirs:10.1f}{result['ratio'][solve]:7.0f}x")
    lines += [f"{name:8}{per_frame['exact'][name]:10.3f}" for name in AFTERWARDS]
    lines += [
        "",
        f"reading the model: {reading['exact']:.0f} ms once for `exact`, beside its times; "
        f"{reading['tools']:.0f} ms in each call of the tools, within theirs",
        "",
        f"where exact spends its time, {100 * result['share_compiled']:.0f} % of it in compiled code",
    ]
    lines += [f"{100 * share:5.0f} %  {part}" for part, share in result["share_of_exact"].items()]
    return "\n".join(lines)


@contextmanager
def silence():
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
