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
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from benchmarks.engines import EFFORT, KINEMATICS, LAW, Walk, read_walk, silence
from pipeline.osim.engines import load_engine
from pipeline.records import Coordinates, FootWrench, GeneralizedForces, Markers, MuscleForces
from pipeline.signals import low_pass
from pipeline.solving.engine import LaidMuscles
from tests.parity.walking_3d import FEET

_MOST = 10**5
# What ends within three minutes on a shared core. `paths` lays muscles for `balance` and `loads`, once in a trial.
SIZES = {
    "ik": (10**3, 10**4, _MOST),
    "id": (10**3, 10**4, _MOST, 10**6),
    "so": (10**3, 10**4, _MOST),
    "paths": (10**3, 10**4, _MOST),
    "balance": (10**3, 10**4, _MOST),
    "loads": (10**3, 10**4, _MOST),
}
RATE_HZ, CUTOFF_HZ = 100.0, 15.0
BODIES_AND_LAW: dict[str, Any] = {"foot_bodies": FEET, "mechanics": LAW}


@dataclass(frozen=True, kw_only=True)
class Solved:
    """What engine `exact` finds of a walk, as far as what follows needs it."""

    motion: Coordinates
    moments: GeneralizedForces
    forces: MuscleForces
    laid: LaidMuscles


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
        once = solved(walk)
        for solve in SIZES:
            _solve(walk, solve, once, 200)()
    print(f"{'solve':6}{'frames':>10}{'ms a frame':>12}{'MB more':>10}{'results MB':>12}{'kB a frame':>12}", flush=True)
    for solve, sizes in SIZES.items():
        for n_frames in sizes:
            if n_frames <= arguments.most:
                with ProcessPoolExecutor(1, mp_context=get_context("fork")) as alone:
                    runs.append(alone.submit(measure, walk, once, solve, n_frames).result())
                print(_line(runs[-1]), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")


def measure(walk: Walk, once: Solved, solve: str, n_frames: int) -> LongSolve:
    """One solve, in a process that does nothing else."""
    with silence():
        ready = _solve(walk, solve, once, n_frames)
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


def solved(walk: Walk) -> Solved:
    """The walk solved once, its motion filtered as the chain filters it."""
    engine = load_engine("exact")
    with tempfile.TemporaryDirectory() as name:
        given = {**BODIES_AND_LAW, "directory": Path(name)}
        found = engine.inverse_kinematics(
            walk.model, walk.markers, marker_weights=walk.weights, settings=KINEMATICS, directory=Path(name)
        ).coordinates
        motion = replace(found, values=low_pass(found.values, walk.markers.rate_hz, CUTOFF_HZ))
        moments = engine.inverse_dynamics(walk.model, motion, walk.wrenches, **given)
        forces = engine.static_optimization(walk.model, motion, walk.wrenches, settings=EFFORT, **given)
    laid = engine.laid_muscles(walk.model, motion, forces, mechanics=LAW)
    return Solved(motion=motion, moments=moments, forces=forces, laid=laid)


@dataclass(frozen=True, kw_only=True)
class LongWalk:
    """A walk and what was solved of it, to and fro for so many frames; made as it is asked for, to spare memory."""

    walk: Walk
    once: Solved
    n_frames: int

    @property
    def markers(self) -> Markers:
        return self._repeated(self.walk.markers, "positions_m")

    @property
    def motion(self) -> Coordinates:
        return self._repeated(self.once.motion, "values")

    @property
    def moments(self) -> GeneralizedForces:
        return self._repeated(self.once.moments, "values")

    @property
    def forces(self) -> MuscleForces:
        all_solved = replace(
            self.once.forces, converged=np.ones(self.n_frames, dtype=bool), short_of=np.full(self.n_frames, "")
        )
        return self._repeated(all_solved, "activation", "force_n", "actuator_force")

    @property
    def laid(self) -> LaidMuscles:
        return self._repeated(self.once.laid, "length_m", "lengthening_m_s", "wrenches", "direct")

    @property
    def wrenches(self) -> list[FootWrench]:
        return [_repeated(wrench, self.once.motion.time_s, self._time_s) for wrench in self.walk.wrenches]

    @property
    def _time_s(self) -> np.ndarray:
        return np.arange(self.n_frames) / RATE_HZ

    def _repeated(self, record: Any, *names: str) -> Any:
        long = {name: to_and_fro(getattr(record, name), self.n_frames) for name in names}
        return replace(record, time_s=self._time_s, **long)


def _solve(walk: Walk, solve: str, once: Solved, n_frames: int) -> Callable[[], int]:
    """What solves so many frames, its input made, and says how many bytes its results have."""
    return _somewhere(SOLVES[solve](walk, LongWalk(walk=walk, once=once, n_frames=n_frames)))


def _ik(walk: Walk, long: LongWalk) -> Callable[[Path], Any]:
    given = {"marker_weights": walk.weights, "settings": KINEMATICS}
    return partial(_in_folder, load_engine("exact").inverse_kinematics, (walk.model, long.markers), given)


def _id(walk: Walk, long: LongWalk) -> Callable[[Path], Any]:
    asked = walk.model, long.motion, long.wrenches
    return partial(_in_folder, load_engine("exact").inverse_dynamics, asked, BODIES_AND_LAW)


def _so(walk: Walk, long: LongWalk) -> Callable[[Path], Any]:
    asked, given = (walk.model, long.motion, long.wrenches), {**BODIES_AND_LAW, "settings": EFFORT}
    return partial(_in_folder, load_engine("exact").static_optimization, asked, given)


def _in_folder(solve: Callable[..., Any], asked: tuple, given: dict, directory: Path) -> Any:
    return solve(*asked, **given, directory=directory)


def _paths(walk: Walk, long: LongWalk) -> Callable[[Path], Any]:
    motion, forces = long.motion, long.forces
    return lambda _: load_engine("exact").laid_muscles(walk.model, motion, forces, mechanics=LAW)


def _balance(walk: Walk, long: LongWalk) -> Callable[[Path], Any]:
    asked = walk.model, long.motion, long.moments, long.forces, long.laid
    return lambda _: load_engine("exact").muscle_balance(*asked)


def _loads(walk: Walk, long: LongWalk) -> Callable[[Path], Any]:
    asked = walk.model, long.motion, long.wrenches, long.laid
    return lambda _: load_engine("exact").joint_loads(*asked, **BODIES_AND_LAW)


SOLVES: dict[str, Callable[[Walk, LongWalk], Callable[[Path], Any]]] = {
    "ik": _ik,
    "id": _id,
    "so": _so,
    "paths": _paths,
    "balance": _balance,
    "loads": _loads,
}


def _somewhere(solve: Callable[[Path], Any]) -> Callable[[], int]:
    def in_a_new_folder() -> int:
        with tempfile.TemporaryDirectory() as name:
            return _n_bytes(solve(Path(name)))

    return in_a_new_folder


def _n_bytes(record: Any) -> int:
    """What a record's arrays take, those of records in it included."""
    if isinstance(record, np.ndarray):
        return record.nbytes
    return sum(_n_bytes(getattr(record, field.name)) for field in fields(record)) if is_dataclass(record) else 0


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
