"""A solved walk made from nothing: two muscles a leg, every joint's moment, reserve and imbalance as wished."""

import numpy as np

from pipeline.ground.cycles import Stride
from pipeline.records import (
    Coordinates,
    FootWrench,
    GeneralizedForces,
    JointAngles,
    JointLoads,
    Kinematics,
    MuscleForces,
    Side,
)
from pipeline.solving.engine import LaidMuscles, MuscleSource
from pipeline.solving.solution import Solution
from warehouse.channels import LABORATORY_ANGLES, LOADED_JOINTS

FRAMES = 101
TIME_S = np.arange(FRAMES) / 100
NAMES = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
    *(f"{joint}_{side}" for side in "rl"
      for joint in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle")),
)  # fmt: skip
MUSCLES = ("soleus_r", "glmed1_r", "soleus_l", "glmed1_l")
OF_LEG: dict[str, frozenset[Side]] = {"r": frozenset({"right"}), "l": frozenset({"left"})}
BOTH = frozenset[Side](("right", "left"))
LOADING_FEET = {name: BOTH if name.startswith("pelvis") else OF_LEG[name[-1]] for name in (*NAMES, *MUSCLES)}
FEET_PRESSING = {joint: OF_LEG[joint[-1]] for joint in LOADED_JOINTS}
COMPUTED = MuscleSource(asked=(), why=())
RIGHT = Stride(side="right", start_s=0.0, stop_s=0.5, toe_off_s=0.3)
LEFT = Stride(side="left", start_s=0.5, stop_s=1.0, toe_off_s=0.8)


def forces(peaks: dict[str, float]) -> GeneralizedForces:
    """Each named coordinate at its value in every frame, the others at zero."""
    values = np.zeros((FRAMES, len(NAMES)))
    for name, value in peaks.items():
        values[:, NAMES.index(name)] = value
    return GeneralizedForces(time_s=TIME_S, names=NAMES, rotational=np.ones(len(NAMES), dtype=bool), values=values)


def joint_moments(value: float = 100.0) -> dict[str, float]:
    return {f"{joint}_{side}": value for side in "rl" for joint in ("hip_flexion", "knee_angle", "ankle_angle")}


def made_angles() -> JointAngles:
    """Angle i is i degrees; the left ankle's inversion is not known."""
    return JointAngles(
        time_s=TIME_S,
        angles_deg={
            name: np.full(FRAMES, np.nan if name == "isb_ankle_inversion_l" else float(number))
            for number, name in enumerate(LABORATORY_ANGLES)
        },
        unknown=("the model has no body calcn_l",),
    )


def joint_loads(time_s: np.ndarray = TIME_S) -> JointLoads:
    """Joint i is loaded with (i, 10 i, 100 i) N in the distal segment's axes, and with twice that in the proximal's."""
    force = np.arange(len(LOADED_JOINTS))[:, None] * np.array([1.0, 10.0, 100.0])
    in_distal_n = np.tile(force, (len(time_s), 1, 1))
    return JointLoads(
        time_s=time_s, joints=tuple(LOADED_JOINTS), in_distal_n=in_distal_n, in_proximal_n=2 * in_distal_n
    )


def still_muscles(time_s: np.ndarray = TIME_S, names: tuple[str, ...] = MUSCLES) -> LaidMuscles:
    """Muscles of 0.3 m that pull nothing."""
    shape = (len(time_s), len(names))
    return LaidMuscles(
        time_s=time_s,
        muscle_names=names,
        length_m=np.full(shape, 0.3),
        lengthening_m_s=np.zeros(shape),
        wrenches=np.zeros((len(time_s), 1, 6)),
        direct=np.zeros((len(time_s), len(NAMES))),
    )


def a_solution(
    moments: dict[str, float] | None = None,
    reserves: dict[str, float] | None = None,
    balance: dict[str, float] | None = None,
    error_m: float = 0.01,
) -> Solution:
    """Two muscles a leg at half activation, two markers off by `error_m`."""
    reserve = forces(reserves or {})
    muscles = MuscleForces(
        time_s=TIME_S,
        muscle_names=MUSCLES,
        activation=np.full((FRAMES, 4), 0.5),
        force_n=np.full((FRAMES, 4), 100.0),
        actuator_coordinates=reserve.names,
        actuator_force=reserve.values,
        converged=np.ones(FRAMES, dtype=bool),
        short_of=np.full(FRAMES, ""),
    )
    coordinates = Coordinates(
        time_s=TIME_S, names=NAMES, rotational=np.ones(len(NAMES), dtype=bool), values=np.zeros((FRAMES, len(NAMES)))
    )
    return Solution(
        kinematics=Kinematics(
            coordinates=coordinates,
            marker_names=("R_IAS", "L_IAS"),
            marker_error_m=np.full((FRAMES, 2), error_m),
        ),
        moments=forces(joint_moments() if moments is None else moments),
        muscles=muscles,
        laid=still_muscles(),
        muscle_source=COMPUTED,
        balance=forces(balance or {}),
        loads=joint_loads(),
        frames=np.arange(FRAMES),
        loading_feet=LOADING_FEET,
        feet_pressing=FEET_PRESSING,
    )


def wrenches_known(right: slice, left: slice) -> dict[str, FootWrench]:
    found = {}
    for side, frames in (("right", right), ("left", left)):
        known = np.zeros(FRAMES, dtype=bool)
        known[frames] = True
        found[side] = FootWrench(
            side=side,
            time_s=TIME_S,
            point_m=np.zeros(3),
            force_n=np.zeros((FRAMES, 3)),
            moment_nm=np.zeros((FRAMES, 3)),
            cop_m=np.zeros((FRAMES, 3)),
            free_moment_nm=np.zeros(FRAMES),
            known=known,
            reason=np.where(known, "", "no plate"),
        )
    return found
