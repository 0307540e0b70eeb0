"""Both engines on one walk: how far apart they are, and whether that matters.

Each solve is compared on the same input: inverse dynamics and static optimization take the coordinates that `exact`
found, so that one step's difference isn't counted again in the next. `exact` computes as OpenSim does there; what its
corrections are worth on the trial is told beside it. Where OpenSim states a muscle's path shorter than it is, both
engines optimize with that path around its first surface only: the path itself is compared through its points.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipeline.ground.observe_walk import observe_walk
from pipeline.osim.balance import muscle_balance
from pipeline.osim.compared_paths import ComparedPaths, compared_paths, with_one_surface
from pipeline.osim.engines import load_engine
from pipeline.osim.laid_muscles import laid_muscles, muscle_source
from pipeline.osim.models.shared_model import shared_model
from pipeline.osim.objectives import marker_objective, muscle_effort
from pipeline.own_model.standing import standing_subject
from pipeline.records import (
    Coordinates,
    CoordinateTask,
    FootWrench,
    GeneralizedForces,
    Markers,
    MuscleForces,
    Side,
)
from pipeline.session.recipe import MOST_EXACT_EXPONENT, MechanicsLaw, Recipe
from pipeline.session.setup import open_session
from pipeline.sizing.size_subject import size_subject
from pipeline.solving.engine_differences import (
    Difference,
    of_balance,
    of_corrections,
    of_kinematics,
    of_moments,
    of_muscles,
    of_paths,
)
from pipeline.solving.solve import foot_bodies, muscle_forces, without_jitter

ENGINES = ("exact", "tools")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The differences of one walk, and what each engine's solves took: seconds per frame by (engine, solve).

    `notes` are sentences on what the comparison can't show.
    """

    differences: tuple[Difference, ...]
    seconds: Mapping[tuple[str, str], float]
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether every figure is within its limit."""
        return all(difference.agrees for difference in self.differences)

    @property
    def words(self) -> str:
        """The verdict as a sentence."""
        empty = [difference.what for difference in self.differences if difference.empty]
        if empty:
            return f"the engines CAN'T BE COMPARED on this trial: nothing was found to compare for {'; '.join(empty)}"
        return "the engines agree" if self.agrees else "the engines DISAGREE on this trial"


def verify_session(session_file: str, trial: str | None, recipe: str, model_file: str | None) -> Verdict:
    """Compare the engines on one trial, the session's first if none is named; no warehouse is touched.

    ValueError for what the user must correct; TrialRejected if the trial, or the static one, can't be used.
    """
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        setup = open_session(session_file, recipe, model_file)
        _require_comparable(setup.recipe, recipe)
        names = [one.name for one in setup.session.trials]
        if trial is not None and trial not in names:
            raise ValueError(f"{session_file}: the session has no trial {trial!r}; it has {', '.join(names)}.")
        chosen = setup.session.trial(trial or names[0])
        if setup.session.kinematics_only or chosen.is_solved:
            what = "asks for kinematics only" if setup.session.kinematics_only else f"has {chosen.path.name} solved"
            raise ValueError(
                f"{session_file}: the session {what}, and engines are compared from markers to muscle forces. Name a "
                "session of markers and ground reactions."
            )
        directory, static = Path(name), standing_subject(setup)
        walk = observe_walk(setup, chosen, static)
        model = directory / "scaled.osim"
        model.write_text(size_subject(setup, static).osim_xml, "utf-8")
        return compare_engines(
            model,
            walk.markers,
            {label: setup.profile.markers[label].ik_weight for label in walk.markers.labels},
            setup.profile.coordinate_tasks,
            walk.wrenches,
            walk.frames,
            setup.recipe,
            directory,
        )


def _require_comparable(recipe: Recipe, source: str) -> None:
    """ValueError for settings that one of the engines can't take, before either has run."""
    settings = recipe.static_optimization
    if settings.passive_fibre_force:
        raise ValueError(
            f"recipe {source} asks for passive fibre force, which OpenSim's static optimization doesn't know. Set "
            "passive_fibre_force = false to compare the engines; nothing else of them depends on it."
        )
    if not 2 <= settings.activation_exponent <= MOST_EXACT_EXPONENT:
        raise ValueError(
            f"recipe {source} has activation_exponent={settings.activation_exponent:g}, and engine 'exact' solves "
            f"exponents from 2 to {MOST_EXACT_EXPONENT}: there is nothing to compare."
        )


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
    corrected, recipe = _by_law(recipe, "corrected"), _by_law(recipe, "opensim")
    kinematics = _by_both(
        "ik",
        n_frames,
        seconds,
        lambda name: load_engine(name).inverse_kinematics(
            model,
            markers,
            marker_weights=weights,
            coordinate_tasks=tasks,
            settings=recipe.inverse_kinematics,
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
            mechanics=recipe.model.mechanics,
            directory=directory / name / "id",
        ),
    )
    paths = compared_paths(model, coordinates.cut(frames))
    (_, own), (right_moments, right_forces) = (
        _by_exact(model, coordinates, wrenches, frames, law, directory / str(law.model.mechanics))
        for law in (recipe, corrected)
    )
    balance = muscle_balance(
        model,
        coordinates.cut(frames),
        moments["exact"].cut(frames),
        own,
        laid_muscles(model, coordinates, own, mechanics=recipe.model.mechanics),
    )
    alike = _laid_alike(model, paths, directory)
    muscles = _by_both(
        "so",
        frames.stop - frames.start,
        seconds,
        lambda name: muscle_forces(
            load_engine(name), alike, coordinates, wrenches, frames, recipe, directory / name / "so"
        ),
    )
    return Verdict(
        differences=(
            *of_kinematics(
                kinematics["exact"].coordinates,
                kinematics["tools"].coordinates,
                *(marker_objective(model, kinematics[name], weights, tasks) for name in ENGINES),
            ),
            *of_moments(moments["exact"], moments["tools"]),
            *(of_paths(paths.length_m, paths.through_points_m, paths.arms_apart_m, paths.cut_short) if paths else ()),
            *of_muscles(
                muscles["exact"],
                muscles["tools"],
                *(muscle_effort(alike, muscles[name], recipe.static_optimization) for name in ENGINES),
            ),
            of_balance(balance, own.converged),
            *of_corrections(right_moments, moments["exact"], right_forces, own),
        ),
        seconds=seconds,
        notes=(*muscle_source(model).warnings(), *(paths.warnings() if paths else ())),
    )


def _laid_alike(model: Path, paths: ComparedPaths | None, directory: Path) -> Path:
    """The model without paths that OpenSim cuts short, itself if there are none."""
    if paths is None or not paths.muscles_cut_short:
        return model
    alike = with_one_surface(model, paths.muscles_cut_short, directory / "laid_alike.osim")
    shared_model(alike)  # Read now, so that nobody's time counts it.
    return alike


def _by_law(recipe: Recipe, mechanics: MechanicsLaw) -> Recipe:
    # Only `exact` knows a law, whichever engine the recipe names.
    model = recipe.model.model_copy(update={"engine": "exact", "mechanics": mechanics})
    return recipe.model_copy(update={"model": model})


def _by_exact(
    model: Path,
    coordinates: Coordinates,
    wrenches: Mapping[Side, FootWrench],
    frames: slice,
    recipe: Recipe,
    directory: Path,
) -> tuple[GeneralizedForces, MuscleForces]:
    """The motion's moments, and the muscle forces with the model's own paths."""
    exact = load_engine("exact")
    moments = exact.inverse_dynamics(
        model,
        coordinates,
        list(wrenches.values()),
        foot_bodies=foot_bodies(recipe),
        mechanics=recipe.model.mechanics,
        directory=directory / "id",
    )
    return moments, muscle_forces(exact, model, coordinates, wrenches, frames, recipe, directory / "so")


def _by_both(
    solve: str, n_frames: int, seconds: dict[tuple[str, str], float], run: Callable[[str], Result]
) -> dict[str, Result]:
    """One solve by each engine; what it took a frame is put in `seconds`."""
    results = {}
    for name in ENGINES:
        began = time.perf_counter()
        results[name] = run(name)
        seconds[name, solve] = (time.perf_counter() - began) / n_frames
    return results


def render(verdict: Verdict) -> str:
    """A table for people, and the verdict."""
    width = max(len(difference.what) for difference in verdict.differences)
    lines = [f"{'':{width}}  {'found':>12}  {'limit':>8}"]
    for one in verdict.differences:
        limit = "" if one.limit is None else f"{one.limit:g}"
        mark = "" if one.agrees else "   <-- nothing to compare" if one.empty else "   <-- beyond the limit"
        lines.append(f"{one.what:{width}}  {one.value:12.4g}  {limit:>8}  {one.unit}{mark}")
    for solve in ("ik", "id", "so"):
        ours, theirs = (1e3 * verdict.seconds[name, solve] for name in ENGINES)
        lines.append(f"{solve.upper()}: {ours:.2f} ms a frame by exact, {theirs:.1f} by tools, {theirs / ours:.0f} x")
    lines += [*verdict.notes, verdict.words]
    return "\n".join(lines)
