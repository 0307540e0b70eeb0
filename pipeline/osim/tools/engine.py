"""Engine `tools`: OpenSim's own inverse kinematics, inverse dynamics and static optimization.

Each call works in the directory it is given and leaves its inputs, set-up, results and `opensim.log` there.
Shapes: T frames, M markers, Q coordinates, U muscles, R actuated coordinates.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.osim.asking.muscles import point_paths
from pipeline.osim.balance import muscle_balance
from pipeline.osim.files import read_storage, write_storage, write_trc
from pipeline.osim.inputs import require_cover, require_known_actuators, require_motion, tracked_markers
from pipeline.osim.joint_loads import joint_loads as loads_of
from pipeline.osim.laid_muscles import laid_by_opensim
from pipeline.osim.log import run_tool, tool_log
from pipeline.osim.models.loading_feet import feet_pressing, loading_feet
from pipeline.osim.models.model import (
    ModelSummary,
    add_reserves,
    coordinate_actuators,
    ignore_tendon_compliance,
    load_model,
    read_summary,
    scalar_actuators,
    summarise,
    write_model,
)
from pipeline.osim.motion import SAMPLES_PER_FRAME, dense
from pipeline.osim.tools import setups
from pipeline.records import (
    Coordinates,
    CoordinateTask,
    FootWrench,
    GeneralizedForces,
    JointLoads,
    KinematicsResult,
    Markers,
    MuscleForces,
    Side,
)
from pipeline.session.recipe import InverseKinematicsSettings, MechanicsLaw, StaticOptimizationSettings
from pipeline.solving.engine import LaidMuscles, MuscleSource

__all__ = [
    "feet_pressing",
    "inverse_dynamics",
    "inverse_kinematics",
    "joint_loads",
    "laid_muscles",
    "loading_feet",
    "muscle_balance",
    "muscle_source",
    "static_optimization",
]

_IK, _ID, _SO = "inverse_kinematics", "inverse_dynamics", "static_optimization"
_MODEL = "model.osim"
_NO_SOLUTION = re.compile(r"could not find a solution at time = ([-+0-9.eE]+?)[!.]?\s*$")


def inverse_kinematics(
    model_file: Path,
    markers: Markers,
    *,
    marker_weights: Mapping[str, float],
    coordinate_tasks: Sequence[CoordinateTask] = (),
    settings: InverseKinematicsSettings,
    directory: Path,
) -> KinematicsResult:
    """Pose the model at every frame so that its markers lie nearest the measured ones (least squares).

    Tracked are the markers with a positive weight that model and measurement both have; a NaN position is
    left out of its frame. Raises TrialRejected("inverse_kinematics", …) when a frame has fewer than three
    tracked markers, or the tool fails.
    """
    with tool_log(directory, _IK) as log:
        summary = read_summary(model_file)
        tracked = tracked_markers(markers, marker_weights, summary)
        shutil.copyfile(model_file, directory / _MODEL)
        write_trc(directory / "markers.trc", tracked)
        tasks = setups.ik_tasks({name: marker_weights[name] for name in tracked.labels}, coordinate_tasks)
        setup = setups.ik_setup(
            model_file=_MODEL,
            marker_file="markers.trc",
            tasks=tasks,
            accuracy=settings.ik_accuracy,
            time_range_s=_span(tracked.time_s),
            output_file="ik.mot",
        )
        setups.write_setup(directory / "ik_setup.xml", setup)
        run_tool(osim.InverseKinematicsTool, directory / "ik_setup.xml", log, _IK)
        coordinates = _read_kinematics(directory / "ik.mot", summary, tracked.time_s)
        reached = _read_marker_locations(directory / "trial_ik_model_marker_locations.sto", tracked)
    error_m = np.linalg.norm(reached - tracked.positions_m, axis=2)
    return KinematicsResult(coordinates=coordinates, marker_names=tracked.labels, marker_error_m=error_m)


def inverse_dynamics(
    model_file: Path,
    coordinates: Coordinates,
    wrenches: Sequence[FootWrench],
    *,
    foot_bodies: Mapping[Side, str],
    mechanics: MechanicsLaw,  # noqa: ARG001 - the tools know their own
    lowpass_hz: float | None = None,
    directory: Path,
) -> GeneralizedForces:
    """Net generalized forces, (T, Q) in the model's coordinate order, that the motion and the ground ask for.

    `lowpass_hz` is the tool's own zero-lag filter of the coordinates; None differentiates them as they are.
    The coordinates of the body against the ground are residuals. Raises TrialRejected("inverse_dynamics", …).
    """
    with tool_log(directory, _ID) as log:
        summary = read_summary(model_file)
        shutil.copyfile(model_file, directory / _MODEL)
        _write_motion(directory, coordinates, summary)
        loads_file = _write_loads(directory, wrenches, foot_bodies, coordinates.time_s)
        setup = setups.id_setup(
            model_file=_MODEL,
            coordinates_file="coordinates.sto",
            loads_file=loads_file,
            lowpass_hz=lowpass_hz,
            time_range_s=_lookup_span(coordinates.time_s),
            output_file="id.sto",
        )
        setups.write_setup(directory / "id_setup.xml", setup)
        run_tool(osim.InverseDynamicsTool, directory / "id_setup.xml", log, _ID)
        columns, values = _read_result(directory / "id.sto", coordinates.time_s, _ID)
    names = tuple(c.name for c in summary.coordinates)
    bare = [column.removesuffix("_moment").removesuffix("_force") for column in columns]
    return GeneralizedForces(
        time_s=coordinates.time_s,
        names=names,
        rotational=np.array([c.rotational for c in summary.coordinates]),
        values=values[:, [bare.index(name) for name in names]],
    )


def static_optimization(
    model_file: Path,
    coordinates: Coordinates,
    wrenches: Sequence[FootWrench],
    *,
    foot_bodies: Mapping[Side, str],
    mechanics: MechanicsLaw,  # noqa: ARG001 - the tools know their own
    lowpass_hz: float | None = None,
    settings: StaticOptimizationSettings,
    directory: Path,
) -> MuscleForces:
    """Muscle forces that make the measured motion with the least sum of activations to the exponent.

    Reserve and residual actuators are added wherever a free coordinate has no actuator. Force is the tendon's:
    active force at the length a stiff tendon leaves the fibre, times activation, without passive force, as the
    tool has it. A frame the optimizer gave up on is still returned, with `converged` False.
    `lowpass_hz` is the tool's own filter of the coordinates; None takes them as they are.
    Raises TrialRejected("static_optimization", …) when the tool fails or leaves frames out; ValueError for passive
    fibre force, which the tool doesn't know.
    """
    if settings.passive_fibre_force:
        raise ValueError("engine 'tools' optimizes without passive fibre force; ask engine 'exact' for it.")
    with tool_log(directory, _SO) as log:
        model = load_model(model_file)
        summary = summarise(model)
        point_paths(model)
        add_reserves(model, settings)
        ignore_tendon_compliance(model)
        coordinate_of = {actuator.getName(): actuator.get_coordinate() for actuator in coordinate_actuators(model)}
        require_known_actuators([actuator.getName() for actuator in scalar_actuators(model)], coordinate_of, summary)
        write_model(model, directory / "so_model.osim")
        motion = dense(coordinates)
        _write_motion(directory, motion, summary)
        loads_file = _write_loads(directory, wrenches, foot_bodies, coordinates.time_s)
        setup = setups.so_setup(
            model_file="so_model.osim",
            coordinates_file="coordinates.sto",
            loads_file=loads_file,
            lowpass_hz=lowpass_hz,
            time_range_s=_lookup_span(motion.time_s),
            step_interval=SAMPLES_PER_FRAME,
            settings=settings,
        )
        setups.write_setup(directory / "so_setup.xml", setup)
        run_tool(osim.AnalyzeTool, directory / "so_setup.xml", log, _SO)
        names, activation = _read_result(directory / "trial_StaticOptimization_activation.sto", coordinates.time_s, _SO)
        # The force file holds the ground reactions too.
        columns, force = _read_result(directory / "trial_StaticOptimization_force.sto", coordinates.time_s, _SO)
        force = force[:, [columns.index(name) for name in names]]
        converged = _converged(log.lines(), coordinates.time_s)
    return _muscle_forces(coordinates.time_s, names, force, activation, summary, coordinate_of, converged)


def laid_muscles(
    model_file: Path,
    coordinates: Coordinates,
    forces: MuscleForces,
    *,
    mechanics: MechanicsLaw,  # noqa: ARG001 - the tools know their own
) -> LaidMuscles:
    """Muscles along OpenSim's own paths, at `forces.time_s`."""
    return laid_by_opensim(model_file, coordinates, forces)


def muscle_source(model_file: Path) -> MuscleSource:  # noqa: ARG001 - whatever the model
    """The tools compute all by themselves."""
    return MuscleSource(asked=(), why=())


def joint_loads(
    model_file: Path,
    coordinates: Coordinates,
    wrenches: Sequence[FootWrench],
    laid: LaidMuscles,
    *,
    foot_bodies: Mapping[Side, str],
    mechanics: MechanicsLaw,  # noqa: ARG001 - the tools know their own
) -> JointLoads:
    """`pipeline.osim.joint_loads.joint_loads`, as OpenSim has velocity terms."""
    return loads_of(model_file, coordinates, wrenches, laid, foot_bodies=foot_bodies, mechanics="opensim")


def _span(time_s: np.ndarray) -> tuple[float, float]:
    return float(time_s[0]), float(time_s[-1])


def _lookup_span(time_s: np.ndarray) -> tuple[float, float]:
    # The tools take the last row at or before each time, and times pass through decimal text and a filter's
    # resampling: a quarter of a frame later, rounding can't pick the neighbour.
    margin = 0.25 * float(time_s[-1] - time_s[0]) / (len(time_s) - 1)
    return float(time_s[0]) + margin, float(time_s[-1]) + margin


def _read_kinematics(path: Path, summary: ModelSummary, time_s: np.ndarray) -> Coordinates:
    columns, values = _read_result(path, time_s, _IK)
    values = values[:, [columns.index(c.name) for c in summary.coordinates]]
    in_degrees = np.array([c.stored_in_degrees for c in summary.coordinates])
    values[:, in_degrees] = np.radians(values[:, in_degrees])
    return Coordinates(
        time_s=time_s,
        names=tuple(c.name for c in summary.coordinates),
        rotational=np.array([c.rotational for c in summary.coordinates]),
        values=values,
    )


def _read_marker_locations(path: Path, tracked: Markers) -> np.ndarray:
    """Model marker positions in the ground frame, (T, M, 3) in the order of `tracked`."""
    columns, values = _read_result(path, tracked.time_s, _IK)
    wanted = [columns.index(f"{name}_t{axis}") for name in tracked.labels for axis in "xyz"]
    return values[:, wanted].reshape(tracked.positions_m.shape)


def _read_result(path: Path, time_s: np.ndarray, stage: str) -> tuple[tuple[str, ...], np.ndarray]:
    """A tool's table, if it has exactly one finite row for each frame."""
    if not path.is_file():
        raise TrialRejected(stage, f"OpenSim finished without writing {path.name}.")
    columns, found_s, values, _ = read_storage(path)
    if len(found_s) != len(time_s) or np.abs(found_s - time_s).max() > 1e-4:
        raise TrialRejected(stage, f"OpenSim wrote {len(found_s)} frames to {path.name}, expected {len(time_s)}.")
    bad = [name for name, column in zip(columns, values.T, strict=True) if not np.isfinite(column).all()]
    if bad:
        raise TrialRejected(stage, f"OpenSim wrote NaN or infinity to {path.name} for {', '.join(bad[:6])}.")
    return columns, values


def _write_motion(directory: Path, coordinates: Coordinates, summary: ModelSummary) -> None:
    require_motion(coordinates, summary)
    write_storage(directory / "coordinates.sto", coordinates.names, coordinates.time_s, coordinates.values)


def _write_loads(
    directory: Path, wrenches: Sequence[FootWrench], foot_bodies: Mapping[Side, str], time_s: np.ndarray
) -> str:
    """Write the ground's wrenches as external loads; returns the file's name, "" if there are none."""
    if not wrenches:
        return ""
    require_cover(wrenches, time_s)
    names: list[str] = []
    columns: list[np.ndarray] = []
    for wrench in wrenches:
        names += [f"{wrench.side}_{part}_{axis}" for part in "fpm" for axis in "xyz"]
        point = np.broadcast_to(wrench.point_m, wrench.force_n.shape)
        columns += [wrench.force_n, point, wrench.moment_nm]
    write_storage(directory / "grf.sto", names, wrenches[0].time_s, np.hstack(columns))
    bodies = {str(wrench.side): foot_bodies[wrench.side] for wrench in wrenches}
    setups.write_setup(directory / "loads.xml", setups.external_loads("grf.sto", bodies))
    return "loads.xml"


def _converged(log_lines: Sequence[str], time_s: np.ndarray) -> np.ndarray:
    """(T,) False where the log says that the optimizer could not find a solution."""
    converged = np.ones(len(time_s), dtype=bool)
    for line in log_lines:
        match = _NO_SOLUTION.search(line)
        if match:
            converged[np.argmin(np.abs(time_s - float(match.group(1))))] = False
    return converged


def _muscle_forces(
    time_s: np.ndarray,
    names: Sequence[str],
    force: np.ndarray,
    activation: np.ndarray,
    summary: ModelSummary,
    coordinate_of: Mapping[str, str],
    converged: np.ndarray,
) -> MuscleForces:
    muscles = [names.index(name) for name in summary.muscles]
    driven = tuple(dict.fromkeys(coordinate_of[name] for name in names if name in coordinate_of))
    actuator_force = np.zeros((len(time_s), len(driven)))
    for column, name in enumerate(names):
        if name in coordinate_of:
            actuator_force[:, driven.index(coordinate_of[name])] += force[:, column]
    return MuscleForces(
        time_s=time_s,
        muscle_names=summary.muscles,
        activation=activation[:, muscles],
        force_n=force[:, muscles],
        actuator_coordinates=driven,
        actuator_force=actuator_force,
        converged=converged,
        short_of=np.full(len(time_s), ""),
    )
