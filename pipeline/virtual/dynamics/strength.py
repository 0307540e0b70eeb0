"""Whether a body's muscles are strong enough for a walk.

The generic model's muscles are as strong in a heavy body as in a light one, so not every body can walk with every gait.
Static optimization of the true motion tells, by the figures that also judge a recording.
"""

import numpy as np

from pipeline.osim.exact.static_optimization import least_effort_forces
from pipeline.osim.motion import Motion
from pipeline.records import SIDES, GeneralizedForces, MuscleForces
from pipeline.session.recipe import PACKAGED_RECIPE, load_recipe
from pipeline.solving.quality import reserve_share, saturated_share
from pipeline.virtual.dynamics.planted import NoMotion
from pipeline.virtual.person.body import Body
from pipeline.virtual.records import MARKER_RATE_HZ, Performance

# Share of the recipe's limits: skin and instruments use up the rest.
SHARE = 0.5
# Every so many frames are tested: muscles change slowly.
EVERY = 3


def require_strength(body: Body, performance: Performance, stride_s: float) -> None:
    """NoMotion, with the joint's name, if its muscles are too weak for a stride of this walk."""
    gates = load_recipe(PACKAGED_RECIPE).quality
    moments, muscles = _one_stride(body, performance, stride_s)
    if not muscles.converged.all():
        raise _too_weak(body, f"static optimization has no solution in {int((~muscles.converged).sum())} frames")
    whole = np.ones(len(moments.time_s), dtype=bool)
    for side in SIDES:
        joint, reserves = reserve_share(muscles, moments, whole, side[0])
        if reserves > SHARE * gates.max_reserve_ratio:
            raise _too_weak(body, f"muscles of the {side} {joint} fall short of its peak moment by {reserves:.1%}")
        saturated = saturated_share(muscles, whole, side[0], gates)
        if saturated > SHARE * gates.max_saturated_ratio:
            raise _too_weak(body, f"{saturated:.1%} of the {side} leg's muscles and frames are at full activation")


def _too_weak(body: Body, why: str) -> NoMotion:
    return NoMotion(f"virtual subject {body.subject.subject_id} is too weak for this walk: {why}. Use another --seed.")


def _one_stride(body: Body, performance: Performance, stride_s: float) -> tuple[GeneralizedForces, MuscleForces]:
    """The joint moments of the first stride and the muscle forces of least effort, every few frames."""
    some = slice(0, round(stride_s * MARKER_RATE_HZ), EVERY)
    asked, settings = performance.moments.cut(some), load_recipe(PACKAGED_RECIPE).static_optimization
    motion = Motion(
        values=performance.coordinates.values[some],
        speeds=performance.speeds[some],
        accelerations=performance.accelerations[some],
    )
    muscles = least_effort_forces(
        body.muscled, motion, asked.values, time_s=asked.time_s, settings=settings, mechanics="corrected"
    )
    return asked, muscles
