"""The ground's wrenches on a model's feet, as its mechanics take them. Shapes: T frames, W wrenches."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.interpolate import CubicSpline

from pipeline.errors import TrialRejected
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import FootWrench, Side


def bodies_pushed(shared: SharedModel, wrenches: Sequence[FootWrench], foot_bodies: Mapping[Side, str]) -> np.ndarray:
    """The number of the body that each wrench acts on, (W,). TrialRejected if the model lacks one."""
    feet, bodies = [foot_bodies[wrench.side] for wrench in wrenches], shared.skeleton.bodies
    missing = sorted(set(feet) - set(bodies))
    if missing:
        raise TrialRejected(
            "inverse_dynamics",
            f"model {shared.summary.name} has no body {', '.join(missing)} for the ground to push; see the recipe.",
        )
    return np.array([bodies.index(foot) for foot in feet], dtype=np.int64)


def wrenches_about_origin(wrenches: Sequence[FootWrench], time_s: np.ndarray) -> np.ndarray:
    """Moments about the ground's origin and forces, (T, W, 6); a cubic spline between samples, as the tools have it."""
    if not wrenches:
        return np.zeros((len(time_s), 0, 6))
    return np.stack([_about_origin(wrench, time_s) for wrench in wrenches], axis=1)


def _about_origin(wrench: FootWrench, time_s: np.ndarray) -> np.ndarray:
    force, moment = (_sampled(wrench.time_s, each, time_s) for each in (wrench.force_n, wrench.moment_nm))
    return np.hstack([moment + np.cross(wrench.point_m, force), force])


def _sampled(from_s: np.ndarray, values: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    places = np.minimum(np.searchsorted(from_s, at_s), len(from_s) - 1)
    if np.array_equal(from_s[places], at_s):
        return values[places]
    return CubicSpline(from_s, values, bc_type="natural")(at_s)
