"""Both engines on one walk: how far apart they are, and whether that matters.

Each solve is compared on the same input: inverse dynamics and static optimization take the coordinates that `exact`
found, so that one step's difference isn't counted again in the next.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from pipeline.job import Job, open_job
from pipeline.observe_walk import observe_walk
from pipeline.osim.balance import muscle_balance
from pipeline.osim.engines import load_engine
from pipeline.prepare_session import scale_session
from pipeline.quality import JOINTS
from pipeline.recipe import Recipe
from pipeline.records import (
    CoordinateTask,
    FootWrench,
    GeneralizedForces,
    KinematicsResult,
    Markers,
    MuscleForces,
    Side,
)
from pipeline.solve import foot_bodies, muscle_forces, without_jitter

ENGINES = ("exact", "tools")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of the comparison. `limit` is the largest that agrees, None where it is only told."""

    what: str
    unit: str
    found: float
    limit: float | None

    @property
    def agrees(self) -> bool:
        """Whether it is within its limit; NaN never is."""
        return self.limit is None or self.found <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The differences of one walk, and what each engine's solves took: seconds per frame by (engine, solve)."""

    differences: tuple[Difference, ...]
    seconds: Mapping[tuple[str, str], float]

    @property
    def agrees(self) -> bool:
        """Whether every figure is within its limit."""
        return all(difference.agrees for difference in self.differences)


def verify_session(session_file: str, trial: str | None, recipe: str, model_file: str | None) -> Verdict:
    """Compare the engines on one trial, the session's first if none is named; no warehouse is touched.

    ValueError for what the user must correct; TrialRejected if the trial, or the static one, can't be used.
    """
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        directory = Path(name)
        job = open_job(session_file, recipe, model_file, str(directory / "warehouse"))
        names = [one.name for one in job.session.trials]
        if trial is not None and trial not in names:
            raise ValueError(f"{session_file}: the session has no trial {trial!r}; it has {', '.join(names)}.")
        walk = observe_walk(job, job.session.trial(trial or names[0]))
        return compare_engines(
            _scaled(job, directory),
            walk.markers,
            {label: job.profile.markers[label].ik_weight for label in walk.markers.labels},
            job.profile.coordinate_tasks,
            walk.wrenches,
            walk.frames,
            job.recipe,
            directory,
        )


def _scaled(job: Job, directory: Path) -> Path:
    model = directory / "scaled.osim"
    model.write_text(scale_session(job).osim_xml, "utf-8")
    return model


def compare_engines(
    model: Path,
    markers: Markers,
    weights: Mapping[str, float],
    tasks: Sequence[CoordinateTask],
    wrenches: Mapping[Side, FootWrench],
    frames: slice,
    recipe: Recipe,
    directory: Path,
) -> Verdict:
    """Solve a walk's markers by both engines, muscle forces over `frames`, and compare each solve."""
    seconds: dict[tuple[str, str], float] = {}
    n_frames = len(markers.time_s)
    kinematics = _by_both(
        "ik",
        n_frames,
        seconds,
        lambda name: load_engine(name).inverse_kinematics(
            model,
            markers,
            marker_weights=weights,
            coordinate_tasks=tasks,
            accuracy=recipe.inverse_kinematics.ik_accuracy,
            directory=directory / name / "ik",
        ),
    )
    coordinates = without_jitter(kinematics["exact"].coordinates, recipe.inverse_dynamics.coordinate_cutoff_hz)
    moments = _by_both(
        "id",
        n_frames,
        seconds,
        lambda name: load_engine(name).inverse_dynamics(
            model,
            coordinates,
            list(wrenches.values()),
            foot_bodies=foot_bodies(recipe),
            lowpass_hz=None,
            directory=directory / name / "id",
        ),
    )
    muscles = _by_both(
        "so",
        frames.stop - frames.start,
        seconds,
        lambda name: muscle_forces(
            load_engine(name), model, coordinates, wrenches, frames, recipe, directory / name / "so"
        ),
    )
    balance = muscle_balance(model, coordinates.cut(frames), moments["exact"].cut(frames), muscles["exact"])
    return Verdict(
        differences=(
            *_of_kinematics(kinematics["exact"], kinematics["tools"], weights),
            *_of_moments(moments["exact"], moments["tools"]),
            *_of_muscles(muscles["exact"], muscles["tools"], recipe.static_optimization.activation_exponent),
            _of_balance(balance),
        ),
        seconds=seconds,
    )


def _by_both(
    solve: str, n_frames: int, seconds: dict[tuple[str, str], float], run: Callable[[str], Result]
) -> dict[str, Result]:
    """One solve by each engine; what it took a frame is put in `seconds`."""
    found = {}
    for name in ENGINES:
        began = time.perf_counter()
        found[name] = run(name)
        seconds[name, solve] = (time.perf_counter() - began) / n_frames
    return found


def _of_kinematics(
    exact: KinematicsResult, tools: KinematicsResult, weights: Mapping[str, float]
) -> tuple[Difference, ...]:
    """The objective, and the legs' angles. Arms may lie in another optimum of nearly the same error."""
    weight = np.array([weights[name] for name in exact.marker_names])
    ours, theirs = (np.nansum(weight * one.marker_error_m**2) for one in (exact, tools))
    legs = [f"{name}_{side}" for coordinates in JOINTS.values() for name in coordinates for side in "rl"]
    columns = [exact.coordinates.names.index(name) for name in legs if name in exact.coordinates.names]
    apart = np.degrees(np.abs(exact.coordinates.values - tools.coordinates.values)[:, columns])
    return (
        Difference(what="IK: squared marker error, exact over tools", unit="", found=float(ours / theirs), limit=1.001),
        Difference(what="IK: legs' angles, median", unit="degrees", found=float(np.median(apart)), limit=0.1),
        Difference(what="IK: legs' angles, largest", unit="degrees", found=float(apart.max()), limit=1.0),
    )


def _of_moments(exact: GeneralizedForces, tools: GeneralizedForces) -> tuple[Difference, ...]:
    apart = np.abs(exact.values - tools.values).max()
    return (Difference(what="ID: moments and forces, largest", unit="N·m or N", found=float(apart), limit=1e-3),)


def _of_muscles(exact: MuscleForces, tools: MuscleForces, exponent: float) -> tuple[Difference, ...]:
    """Over the frames that the tool says it solved; it stops a little before its optimum, and calls that solved."""
    solved = exact.converged & tools.converged
    apart = (exact.force_n - tools.force_n)[solved]
    ours, theirs = ((one.activation[solved] ** exponent).sum() for one in (exact, tools))
    return (
        Difference(
            what="SO: frames that exact could not solve",
            unit="",
            found=float((~exact.converged).sum()),
            limit=float((~tools.converged).sum()),
        ),
        Difference(
            what="SO: frames that the tool could not solve", unit="", found=float((~tools.converged).sum()), limit=None
        ),
        Difference(what="SO: muscle effort, exact over tools", unit="", found=float(ours / theirs), limit=1.001),
        Difference(
            what="SO: muscle forces, root mean square", unit="N", found=float(np.sqrt((apart**2).mean())), limit=3.0
        ),
        Difference(what="SO: muscle forces, largest", unit="N", found=float(np.abs(apart).max()), limit=None),
    )


def _of_balance(balance: GeneralizedForces) -> Difference:
    """Muscles less inverse dynamics. The splines of static optimization end where its frames do, ten frames outside."""
    apart = float(np.abs(balance.values).max())
    return Difference(what="SO: exact's muscles less ID, largest", unit="N·m or N", found=apart, limit=0.1)


def render(verdict: Verdict) -> str:
    """A table for people, and the verdict."""
    width = max(len(difference.what) for difference in verdict.differences)
    lines = [f"{'':{width}}  {'found':>12}  {'limit':>8}"]
    for one in verdict.differences:
        limit = "" if one.limit is None else f"{one.limit:g}"
        mark = "" if one.agrees else "   <-- beyond the limit"
        lines.append(f"{one.what:{width}}  {one.found:12.4g}  {limit:>8}  {one.unit}{mark}")
    for solve in ("ik", "id", "so"):
        ours, theirs = (1e3 * verdict.seconds[name, solve] for name in ENGINES)
        lines.append(f"{solve.upper()}: {ours:.2f} ms a frame by exact, {theirs:.1f} by tools, {theirs / ours:.0f} x")
    lines.append("the engines agree" if verdict.agrees else "the engines DISAGREE on this trial")
    return "\n".join(lines)
