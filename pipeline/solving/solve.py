"""Inverse kinematics, inverse dynamics, static optimization and joint loads of one walk, by the recipe's engine."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.records import (
    Coordinates,
    FootWrench,
    Kinematics,
    Markers,
    MuscleForces,
    Side,
)
from pipeline.session.profile import Profile
from pipeline.session.recipe import Recipe
from pipeline.signals import low_pass
from pipeline.solving.engine import Engine
from pipeline.solving.solution import Solution

# Splines through the coordinates need this many frames to forget where the record ended.
SPLINE_MARGIN_FRAMES = 10


def solve_forces(
    engine: Engine,
    model: Path,
    kinematics: Kinematics,
    wrenches: Mapping[Side, FootWrench],
    frames: slice,
    recipe: Recipe,
    directory: Path,
) -> Solution:
    """All that follows from a motion; muscle forces, which cost most, and joint loads over `frames` only.

    TrialRejected names the stage that fails.
    """
    coordinates = without_jitter(kinematics.coordinates, recipe.inverse_dynamics.coordinate_cutoff_hz)
    moments = engine.inverse_dynamics(
        model,
        coordinates,
        list(wrenches.values()),
        foot_bodies=foot_bodies(recipe),
        mechanics=recipe.model.mechanics_used,
        directory=directory / "id",
    )
    muscles = muscle_forces(engine, model, coordinates, wrenches, frames, recipe, directory / "so")
    laid = engine.laid_muscles(model, coordinates, muscles, mechanics=recipe.model.mechanics_used)
    return Solution(
        kinematics=kinematics,
        moments=moments,
        muscles=muscles,
        laid=laid,
        muscle_source=engine.muscle_source(model),
        balance=engine.muscle_balance(model, coordinates.cut(frames), moments.cut(frames), muscles, laid),
        loads=engine.joint_loads(
            model,
            coordinates,
            list(wrenches.values()),
            laid,
            foot_bodies=foot_bodies(recipe),
            mechanics=recipe.model.mechanics_used,
        ),
        frames=np.arange(frames.start, frames.stop),
        loading_feet=engine.loading_feet(model, foot_bodies(recipe)),
        feet_pressing=engine.feet_pressing(model, foot_bodies(recipe)),
    )


def joint_kinematics(
    engine: Engine, model: Path, markers: Markers, profile: Profile, recipe: Recipe, directory: Path
) -> Kinematics:
    """Inverse kinematics alone, and how well it fits the markers it is judged by. TrialRejected if it fails."""
    kinematics = engine.inverse_kinematics(
        model,
        markers,
        marker_weights={label: profile.markers[label].ik_weight for label in markers.labels},
        coordinate_tasks=profile.coordinate_tasks,
        settings=recipe.inverse_kinematics,
        directory=directory,
    )
    judged = kinematics.judged_by([label for label, marker in profile.markers.items() if not marker.guide])
    # What follows uses what is stored, so that it comes out the same from what is read back.
    return replace(judged, coordinates=judged.coordinates.as_stored())


def known_over(markers: Markers, known: Kinematics | None) -> Kinematics | None:
    """The part of a solved motion that lies over these markers' frames, if it covers all of them."""
    if known is None:
        return None
    frames = np.isin(known.coordinates.time_s, markers.time_s)
    return known.cut(frames) if frames.sum() == len(markers.time_s) else None


def foot_bodies(recipe: Recipe) -> dict[Side, str]:
    """Which body carries each foot's ground reaction."""
    return {"right": recipe.model.right_foot_body, "left": recipe.model.left_foot_body}


def without_jitter(coordinates: Coordinates, cutoff_hz: float) -> Coordinates:
    """Coordinates as they are differentiated: low-passed well above the motion."""
    rate_hz = (len(coordinates.time_s) - 1) / (coordinates.time_s[-1] - coordinates.time_s[0])
    return replace(coordinates, values=low_pass(coordinates.values, rate_hz, cutoff_hz))


def muscle_forces(
    engine: Engine,
    model: Path,
    coordinates: Coordinates,
    wrenches: Mapping[Side, FootWrench],
    frames: slice,
    recipe: Recipe,
    directory: Path,
) -> MuscleForces:
    """Static optimization over some frames, with a margin on either side for the splines through the coordinates."""
    wide = slice(max(0, frames.start - SPLINE_MARGIN_FRAMES), frames.stop + SPLINE_MARGIN_FRAMES)
    muscles = engine.static_optimization(
        model,
        coordinates.cut(wide),
        list(wrenches.values()),
        foot_bodies=foot_bodies(recipe),
        mechanics=recipe.model.mechanics_used,
        settings=recipe.static_optimization,
        directory=directory,
    )
    return muscles.cut(slice(frames.start - wide.start, frames.stop - wide.start))
