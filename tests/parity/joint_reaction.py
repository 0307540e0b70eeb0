"""OpenSim's analysis JointReaction: what each joint's proximal segment does to its distal one, all forces given."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import opensim as osim

from pipeline.osim.files import read_storage, write_storage
from pipeline.osim.log import run_tool, tool_log
from pipeline.osim.models.model import (
    add_reserves,
    coordinate_actuators,
    ignore_tendon_compliance,
    load_model,
    write_model,
)
from pipeline.osim.motion import SAMPLES_PER_FRAME, dense
from pipeline.osim.tools import setups
from pipeline.records import Coordinates, FootWrench, MuscleForces
from pipeline.session.recipe import StaticOptimizationSettings

# Each joint's own coordinate in the models of OpenSim's kind, its proximal body and its distal one.
JOINTS = {
    "hip": ("hip_flexion", "pelvis", "femur"),
    "knee": ("knee_angle", "femur", "tibia"),
    "ankle": ("ankle_angle", "tibia", "talus"),
}


def reaction_forces(
    model_file: Path,
    coordinates: Coordinates,
    wrenches: Sequence[FootWrench],
    forces: MuscleForces,
    foot_bodies: Mapping[str, str],
    settings: StaticOptimizationSettings,
    directory: Path,
) -> tuple[np.ndarray, np.ndarray]:
    """Forces on the distal bodies of the joints hip_r, knee_r, … ankle_l, in distal and in proximal axes: (T, 6, 3)."""
    directory.mkdir(parents=True)
    model = load_model(model_file)
    add_reserves(model, settings)
    ignore_tendon_compliance(model)
    write_model(model, directory / "model.osim")
    columns, values = _given(model, forces)
    write_storage(directory / "forces.sto", columns, forces.time_s, values)
    motion = dense(coordinates)
    write_storage(directory / "coordinates.sto", motion.names, motion.time_s, motion.values)
    _write_loads(directory, wrenches, foot_bodies)
    joints = [_joint_of(model, f"{JOINTS[name][0]}_{side}") for side in "rl" for name in JOINTS]
    proximal, distal = ([_body(JOINTS[name][place], side) for side in "rl" for name in JOINTS] for place in (1, 2))
    found = []
    for frames in (distal, proximal):
        setup = _setup(motion, joints, frames)
        setups.write_setup(directory / "setup.xml", setup)
        with tool_log(directory, "test") as log:
            run_tool(osim.AnalyzeTool, directory / "setup.xml", log, "test")
        names, time_s, table, _ = read_storage(directory / "trial_JointReaction_ReactionLoads.sto")
        np.testing.assert_allclose(time_s, forces.time_s, atol=1e-6)
        wanted = [
            names.index(f"{joint}_on_{body}_in_{frame}_f{axis}")
            for joint, body, frame in zip(joints, distal, frames, strict=True)
            for axis in "xyz"
        ]
        found.append(table[:, wanted].reshape(len(time_s), len(joints), 3))
    return found[0], found[1]


def _given(model: osim.Model, forces: MuscleForces) -> tuple[list[str], np.ndarray]:
    """Every muscle's and actuator's force by name; the first actuator of a coordinate gives all of its force."""
    columns, values, done = list(forces.muscle_names), [forces.force_n], set()
    for actuator in coordinate_actuators(model):
        coordinate = actuator.get_coordinate()
        given = forces.actuator_force[:, [forces.actuator_coordinates.index(coordinate)]]
        columns.append(actuator.getName())
        values.append(0 * given if coordinate in done else given)
        done.add(coordinate)
    return columns, np.hstack(values)


def _write_loads(directory: Path, wrenches: Sequence[FootWrench], foot_bodies: Mapping[str, str]) -> None:
    names = [f"{one.side}_{part}_{axis}" for one in wrenches for part in "fpm" for axis in "xyz"]
    columns = [
        column
        for one in wrenches
        for column in (one.force_n, np.broadcast_to(one.point_m, one.force_n.shape), one.moment_nm)
    ]
    write_storage(directory / "grf.sto", names, wrenches[0].time_s, np.hstack(columns))
    bodies = {str(one.side): foot_bodies[one.side] for one in wrenches}
    setups.write_setup(directory / "loads.xml", setups.external_loads("grf.sto", bodies))


def _joint_of(model: osim.Model, coordinate: str) -> str:
    return str(model.getCoordinateSet().get(coordinate).getJoint().getName())


def _body(name: str, side: str) -> str:
    return name if name == "pelvis" else f"{name}_{side}"


def _setup(motion: Coordinates, joints: Sequence[str], frames: Sequence[str]) -> ElementTree.Element:
    # The tools take the last row at or before a time: a quarter of a sample later, rounding can't pick the neighbour.
    margin_s = 0.25 * float(motion.time_s[-1] - motion.time_s[0]) / (len(motion.time_s) - 1)
    tool = ElementTree.Element("AnalyzeTool", name="trial")
    for tag, text in {
        "model_file": "model.osim",
        "replace_force_set": "false",
        "results_directory": ".",
        "output_precision": "17",
        "initial_time": repr(float(motion.time_s[0]) + margin_s),
        "final_time": repr(float(motion.time_s[-1]) + margin_s),
        "solve_for_equilibrium_for_auxiliary_states": "false",
        "external_loads_file": "loads.xml",
        "coordinates_file": "coordinates.sto",
        "lowpass_cutoff_frequency_for_coordinates": "-1",
    }.items():
        ElementTree.SubElement(tool, tag).text = text
    analyses = ElementTree.SubElement(ElementTree.SubElement(tool, "AnalysisSet"), "objects")
    analysis = ElementTree.SubElement(analyses, "JointReaction", name="JointReaction")
    for tag, text in {
        "on": "true",
        "start_time": "-Inf",
        "end_time": "Inf",
        "step_interval": str(SAMPLES_PER_FRAME),
        "in_degrees": "false",
        "forces_file": "forces.sto",
        "joint_names": " ".join(joints),
        "apply_on_bodies": " ".join(["child"] * len(joints)),
        "express_in_frame": " ".join(frames),
    }.items():
        ElementTree.SubElement(analysis, tag).text = text
    return tool
