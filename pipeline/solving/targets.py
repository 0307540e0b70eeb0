"""What models learn to predict: the hip's muscle-group forces, moments and contact force, per kilogram, of one leg."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import Cycle, Stride, frames_of, resample_stride
from pipeline.records import Coordinates, FootWrench, GeneralizedForces, JointLoads, MuscleForces, Side
from pipeline.solving.solution import Solution
from warehouse.channels import (
    INPUT_COORDINATES,
    LOAD_CHANNELS,
    MOMENT_COORDINATES,
    MUSCLE_GROUPS,
    ipsilateral,
    mirrored,
)


def inputs_deg(coordinates: Coordinates, side: Side) -> dict[str, np.ndarray]:
    """The ten joint angles (T,) in degrees, named from the ipsilateral leg. TrialRejected if the model lacks one."""
    angles = {}
    for name in INPUT_COORDINATES:
        source = _on(side, name)
        if source not in coordinates.names:
            raise TrialRejected("cycles", f"the model has no coordinate {source}, one of the ten inputs.")
        angles[ipsilateral(name)] = np.degrees(coordinates.column(source))
    return angles


def moments_nm_kg(moments: GeneralizedForces, side: Side, mass_kg: float) -> dict[str, np.ndarray]:
    """The hip's three moments (T,) in N·m/kg: `moment_hip_flexion` and so on."""
    return {
        f"moment_{name.removesuffix('_r')}": moments.column(_on(side, name)) / mass_kg for name in MOMENT_COORDINATES
    }


def group_forces_n_kg(forces: MuscleForces, side: Side, mass_kg: float) -> dict[str, np.ndarray]:
    """The 14 groups' forces (T,) in N/kg, each the sum of its units. TrialRejected if the model lacks a unit."""
    group_forces = {}
    for group, units in MUSCLE_GROUPS.items():
        names = [_on(side, unit) for unit in units]
        lacking = [name for name in names if name not in forces.muscle_names]
        if lacking:
            raise TrialRejected("cycles", f"the model has no muscle {', '.join(lacking)}, of group {group!r}.")
        columns = [forces.muscle_names.index(name) for name in names]
        group_forces[f"force_{group}"] = forces.force_n[:, columns].sum(axis=1) / mass_kg
    return group_forces


def hip_loads_n_kg(loads: JointLoads, side: Side, mass_kg: float) -> dict[str, np.ndarray]:
    """The pelvis's contact force on the femur (T,) in N/kg: along the femur's axes, and its size. NaN where not known.

    A left leg is read as a right one, whose axis z points to the outside: its component z changes its sign.
    Instrumented prostheses measure the force in the femur's axes too (Bergmann et al. 2001, J Biomech 34:859).
    """
    joint = _on(side, "hip_r")
    if joint in loads.joints:
        force = loads.in_distal_n[:, loads.joints.index(joint)] / mass_kg
    else:
        force = np.full((len(loads.time_s), 3), np.nan)
    outwards = 1.0 if side == "right" else -1.0
    components = (force[:, 0], force[:, 1], outwards * force[:, 2], np.linalg.norm(force, axis=1))
    return dict(zip(LOAD_CHANNELS, components, strict=True))


def cut_cycles(
    strides: Sequence[Stride],
    solution: Solution,
    wrenches: Mapping[Side, FootWrench],
    mass_kg: float,
    points: int,
) -> tuple[Cycle, ...]:
    """Every stride's inputs and targets, resampled. Contact forces not known in all its frames are NaN throughout."""
    coordinates = solution.kinematics.coordinates.cut(solution.frames)
    moments = solution.moments.cut(solution.frames)
    cycles = []
    for stride in strides:
        channels = {
            **inputs_deg(coordinates, stride.side),
            **group_forces_n_kg(solution.muscles, stride.side, mass_kg),
            **moments_nm_kg(moments, stride.side, mass_kg),
        }
        known = wrenches[stride.side].known[solution.frames]
        time_s = solution.muscles.time_s
        loads = _known_loads(solution, wrenches, stride.side, mass_kg)
        near = frames_of([stride], time_s)
        if all(np.isfinite(load[near][known[near]]).all() for load in loads.values()):
            cycles.append(resample_stride(stride, time_s, {**channels, **loads}, known, points))
        else:
            cycle = resample_stride(stride, time_s, channels, known, points)
            unknown = dict.fromkeys(loads, np.full(points, np.nan))
            cycles.append(replace(cycle, channels={**cycle.channels, **unknown}))
    return tuple(cycles)


def _known_loads(
    solution: Solution, wrenches: Mapping[Side, FootWrench], side: Side, mass_kg: float
) -> dict[str, np.ndarray]:
    """The hip's contact force, NaN where a ground reaction that it depends on is not known."""
    joint = _on(side, "hip_r")
    feet = solution.feet_pressing[joint] if joint in solution.loads.joints else frozenset()
    known = np.logical_and.reduce([wrenches[foot].known[solution.frames] for foot in feet])
    loads = hip_loads_n_kg(solution.loads, side, mass_kg)
    return {name: np.where(known, load, np.nan) for name, load in loads.items()}


def _on(side: Side, right_name: str) -> str:
    return right_name if side == "right" else mirrored(right_name)
