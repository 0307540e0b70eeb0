"""Quiet standing: the static trial."""

import numpy as np

from pipeline.records import SIDES
from pipeline.virtual.dynamics.perform import last_sample_s, perform
from pipeline.virtual.dynamics.planted import MotionPlan, plant
from pipeline.virtual.gait.footfalls import Standing
from pipeline.virtual.gait.motion import PeriodicMotion, follow
from pipeline.virtual.person.body import Body
from pipeline.virtual.records import MARKER_RATE_HZ, FootContact, Performance

DURATION_S = 3.0
SWAY_HARMONICS = 2
# Upright, feet straight ahead, knees not locked, arms clear of the body. Hips turned out would bring the trochanters'
# markers nearer to the pelvis', which scaling would take for a lower pelvis.
POSTURE_RAD = {
    "knee_angle": np.radians(2.0),
    "arm_add": np.radians(-12.0), "elbow_flex": np.radians(12.0), "pro_sup": np.radians(45.0),
}  # fmt: skip
STANDING_TOLERANCE = {
    "pelvis_tx": 0.05, "pelvis_ty": 0.05, "pelvis_tz": 0.05,
    "hip_flexion_r": 0.02, "hip_flexion_l": 0.02, "hip_adduction_r": 0.02, "hip_adduction_l": 0.02,
    "knee_angle_r": 0.02, "knee_angle_l": 0.02, "ankle_angle_r": 0.05, "ankle_angle_l": 0.05,
    "pelvis_tilt": 0.01, "lumbar_bending": 0.005,
}  # fmt: skip
# The centre of pressure is under the middle of the feet and sways by millimetres (Winter 1995, Gait Posture 3:193).
FOOTING = Standing(centre_along=0.4, sway_along=0.02, sway_across=0.01)


def stand(body: Body) -> Performance:
    """Three seconds of quiet standing at the origin, facing forward (x), both feet on the floor (y = 0)."""
    names = body.mechanics.names
    terms = np.zeros((1 + 2 * SWAY_HARMONICS, len(names)))
    for name, value in POSTURE_RAD.items():
        for side in "rl":
            terms[0, names.index(f"{name}_{side}")] = value
    terms[0, names.index("pelvis_ty")] = _pelvis_height_m(body)
    motion = PeriodicMotion(names=names, terms=follow(names, terms), period_s=DURATION_S, stride_m=0.0)
    force = np.zeros((1 + 2 * SWAY_HARMONICS, 3))
    force[0, 1] = 1.0
    planted = plant(body, MotionPlan(motion=motion, footing=FOOTING, force=force, tolerance=STANDING_TOLERANCE))
    frames = round(DURATION_S * MARKER_RATE_HZ)
    contacts = tuple(FootContact(side=side, strike_s=0.0, off_s=last_sample_s(frames)) for side in SIDES)
    return perform(body, planted, FOOTING, np.arange(frames) / frames, contacts)


def _pelvis_height_m(body: Body) -> float:
    """The pelvis' height over the soles of straight legs."""
    pose = np.zeros((1, len(body.mechanics.names)))
    return -float(body.mechanics.positions_m(pose, [body.soles[side].heel for side in SIDES])[0, :, 1].mean())
