"""Engine `exact` from a thousand frames to a million: `python -m benchmarks.many_frames [--json FILE] [--data DIR]`.

OpenSim's walking_3d walked to and fro without a jerk, over and over: its markers, its filtered motion and its ground
reactions. Each size runs in a process of its own, forked from one that has the compiled code and the model in memory.
Told are milliseconds of processor time a frame, and by how much memory grew beyond the most taken before.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from benchmarks.engines import EFFORT, KINEMATICS, Walk, read_walk, silence
from pipeline.osim.engines import load_engine
from pipeline.records import Coordinates, FootWrench
from pipeline.signals import low_pass
from tests.parity.walking_3d import FEET

SOLVES = ("ik", "id", "so")
# What ends within three minutes on a shared core.
SIZES = {"ik": (10**3, 10**4, 10**5), "id": (10**3, 10**4, 10**5, 10**6), "so": (10**3, 10**4, 10**5)}
RATE_HZ, CUTOFF_HZ = 100.0, 15.0


@dataclass(frozen=True, kw_only=True)
class LongSolve:
    """One solve of so many frames. mb: growth of the largest memory; results_mb: what the results alone take."""

    solve: str
    n_frames: int
    ms_per_frame: float
    mb: float
    results_mb: float


def main() -> None:
    arguments = _arguments()
    folder = arguments.data / "opensim_reference" / "walking_3d"
    runs = []
    with silence():
        walk = read_walk(folder)
        motion = _filtered(walk)
        for solve in SOLVES:
            _solve(walk, solve, motion, 200)()
    print(f"{'solve':6}{'frames':>10}{'ms a frame':>12}{'MB more':>10}{'results MB':>12}{'kB a frame':>12}", flush=True)
    for solve in SOLVES:
        for n_frames in SIZES[solve]:
            if n_frames <= arguments.most:
                with ProcessPoolExecutor(1, mp_context=get_context("fork")) as alone:
                    runs.append(alone.submit(measure, walk, motion, solve, n_frames).result())
                print(_line(runs[-1]), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")


def measure(walk: Walk, motion: Coordinates, solve: str, n_frames: int) -> LongSolve:
    """One solve, in a process that does nothing else."""
    with silence():
        ready = _solve(walk, solve, motion, n_frames)
        before, began = _largest_mb(), time.process_time()
        results_mb = ready() / 2**20
        taken_s = time.process_time() - began
    return LongSolve(
        solve=solve,
        n_frames=n_frames,
        ms_per_frame=1e3 * taken_s / n_frames,
        mb=_largest_mb() - before,
        results_mb=results_mb,
    )


def to_and_fro(values: np.ndarray, n_frames: int) -> np.ndarray:
    """Frames of a walk (T, …) as (n_frames, …): to its last, back to its first, and so on, slowly where it turns."""
    last = len(values) - 1
    one_way_and_back = last / 2 * (1 - np.cos(np.pi * np.arange(2 * last) / last))
    once = CubicSpline(np.arange(len(values)), values)(one_way_and_back)
    return once[np.arange(n_frames) % len(once)]


def _filtered(walk: Walk) -> Coordinates:
    with tempfile.TemporaryDirectory() as name:
        found = load_engine("exact").inverse_kinematics(
            walk.model, walk.markers, marker_weights=walk.weights, settings=KINEMATICS, directory=Path(name)
        )
    motion = found.coordinates
    return replace(motion, values=low_pass(motion.values, walk.markers.rate_hz, CUTOFF_HZ))


def _solve(walk: Walk, solve: str, motion: Coordinates, n_frames: int) -> Callable[[], int]:
    """What solves so many frames, its input made, and says how many bytes its results have."""
    engine, time_s = load_engine("exact"), np.arange(n_frames) / RATE_HZ
    if solve == "ik":
        markers = replace(walk.markers, time_s=time_s, positions_m=to_and_fro(walk.markers.positions_m, n_frames))

        def find_poses(directory: Path) -> int:
            found = engine.inverse_kinematics(
                walk.model, markers, marker_weights=walk.weights, settings=KINEMATICS, directory=directory
            )
            return found.coordinates.values.nbytes + found.marker_error_m.nbytes

        return _somewhere(find_poses)
    wrenches = [_repeated(wrench, motion.time_s, time_s) for wrench in walk.wrenches]
    long = replace(motion, time_s=time_s, values=to_and_fro(motion.values, n_frames))

    def find_moments(directory: Path) -> int:
        return engine.inverse_dynamics(walk.model, long, wrenches, foot_bodies=FEET, directory=directory).values.nbytes

    def find_forces(directory: Path) -> int:
        found = engine.static_optimization(
            walk.model, long, wrenches, foot_bodies=FEET, settings=EFFORT, directory=directory
        )
        return found.activation.nbytes + found.force_n.nbytes + found.actuator_force.nbytes

    return _somewhere(find_moments if solve == "id" else find_forces)


def _somewhere(solve: Callable[[Path], int]) -> Callable[[], int]:
    def in_a_new_folder() -> int:
        with tempfile.TemporaryDirectory() as name:
            return solve(Path(name))

    return in_a_new_folder


def _repeated(wrench: FootWrench, from_s: np.ndarray, time_s: np.ndarray) -> FootWrench:
    nearest, n_frames = np.searchsorted(wrench.time_s, from_s), len(time_s)
    return replace(
        wrench,
        time_s=time_s,
        force_n=to_and_fro(wrench.force_n[nearest], n_frames),
        moment_nm=to_and_fro(wrench.moment_nm[nearest], n_frames),
        cop_m=np.full((n_frames, 3), np.nan),
        free_moment_nm=np.full(n_frames, np.nan),
        known=np.ones(n_frames, dtype=bool),
        reason=np.full(n_frames, ""),
    )


def _largest_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _line(run: LongSolve) -> str:
    per_frame_kb = 1024 * run.mb / run.n_frames
    told = f"{run.mb:10.0f}{run.results_mb:12.0f}{per_frame_kb:12.1f}"
    return f"{run.solve:6}{run.n_frames:10,}{run.ms_per_frame:12.4f}{told}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=10**6, metavar="FRAMES", help="leave larger sizes out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("GAIT2HIP_TEST_DATA", "../shared/data")),
        help="the folder of shared recordings",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
