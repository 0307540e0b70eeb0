"""Plates against the solved motion of a model: what the motion needs from the ground, and what the plates gave.

The judgement is `ground/plates/plate_faults.py`'s. It costs one recursion of inverse dynamics over a walk's frames.
"""

from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import GRAVITY_M_S2
from pipeline.ground.observe_walk import ObservedWalk
from pipeline.ground.plates.plate_faults import GivenWrench, NeededWrench, PlateAgreement, judge_plates
from pipeline.osim.models.mechanics import Mechanics
from pipeline.osim.motion import natural_spline
from pipeline.records import SIDES, Coordinates
from pipeline.session.recipe import Recipe
from pipeline.solving.solve import without_jitter
from pipeline.virtual.dynamics.ground_wrench import ROOT, ground_wrench


def plates_against_motion(
    model: Path, solved: Coordinates, walk: ObservedWalk, mass_kg: float, recipe: Recipe
) -> PlateAgreement | None:
    """How the plates of a walk agree with its coordinates as they were solved.

    None if arrays can't say the model, or its pelvis has other coordinates than OpenSim's walking models.
    """
    try:
        mechanics = Mechanics(model)
    except TrialRejected:
        return None
    if not set(ROOT) <= set(mechanics.names):
        return None
    needed = needed_wrench(mechanics, without_jitter(solved, recipe.inverse_dynamics.coordinate_cutoff_hz))
    return judge_plates(needed, given_wrench(walk), mass_kg * GRAVITY_M_S2, recipe.inverse_dynamics)


def needed_wrench(mechanics: Mechanics, moved: Coordinates) -> NeededWrench:
    """What a motion, low-passed as it is differentiated, needs from the ground by the model's masses."""
    values = moved.values[:, [moved.names.index(name) for name in mechanics.names]]
    spline = natural_spline(moved.time_s, values)
    forces = mechanics.generalized_forces(values, spline(moved.time_s, 1), spline(moved.time_s, 2))
    wrench = ground_wrench(mechanics, values, forces)
    centre_m = mechanics.mass_centre_m(values)
    return NeededWrench(
        time_s=moved.time_s,
        force_n=wrench[:, 3:],
        moment_nm=wrench[:, :3] - np.cross(centre_m, wrench[:, 3:]),
        mass_centre_m=centre_m,
    )


def given_wrench(walk: ObservedWalk) -> GivenWrench:
    """What the plates gave over the frames of a walk."""
    each = [walk.wrenches[side] for side in SIDES]
    return GivenWrench(
        force_n=np.sum([one.force_n for one in each], axis=0),
        moment_nm=np.sum([one.moment_nm + np.cross(one.point_m, one.force_n) for one in each], axis=0),
        known=np.logical_and.reduce([one.known for one in each]),
        shares=walk.shares,
        rotation=walk.tracks.rotation,
    )
