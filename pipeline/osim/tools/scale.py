"""A subject's model from the generic one: segments sized by marker pairs, markers moved onto the subject.

OpenSim's ModelScaler sizes the segments. Its MarkerPlacer would pose the result with a solver whose accuracy
can't be set and which stops up to 0.6 degrees short of its own optimum (gait2354's static trial): an error
that becomes the zero of every later angle. So the pose comes from the recipe's engine, and the markers are then moved
as MarkerPlacer moves them: onto the measured ones, in that pose.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.osim.files import write_trc
from pipeline.osim.log import ToolLog, tool_log
from pipeline.osim.models.model import (
    let_walk_anywhere,
    load_model,
    marker_positions,
    move_markers,
    replace_markers,
    summarise,
    write_model,
)
from pipeline.osim.tools import setups
from pipeline.records import CoordinateTask, KinematicsResult, Markers, Measurement, ModelMarker, ScaledModel
from pipeline.session.recipe import InverseKinematicsSettings
from pipeline.solving.engine import Engine

_STAGE = "scaling"
# The tools average a time range; the pose is averaged already, so two equal frames say the same.
_POSE_RATE_HZ = 100.0


def scale_model(
    model_file: Path,
    *,
    markers: Sequence[ModelMarker],
    measurements: Sequence[Measurement],
    marker_weights: Mapping[str, float],
    coordinate_tasks: Sequence[CoordinateTask],
    static: Markers,
    mass_kg: float,
    preserve_mass_distribution: bool,
    engine: Engine,
    accuracy: float,
    directory: Path,
) -> ScaledModel:
    """Scale a generic model to a static trial (one frame is enough; several are averaged, NaN left out).

    The bodies' masses add up to `mass_kg`: with `preserve_mass_distribution` each keeps the generic model's
    share, otherwise its share also follows its size. A body that no measurement names keeps its size.
    `engine` poses the model, at `accuracy` if it needs one.
    Markers of the set that the static trial lacks are dropped from the model and named in the result.
    TrialRejected("scaling", …) if a marker that sizes a segment is missing, too few are left to pose the
    model, or OpenSim fails.
    """
    pose = _mean_frame(static)
    _require_scaling_markers(measurements, markers, pose)
    kept = [marker for marker in markers if marker.name in pose.labels]
    with tool_log(directory, _STAGE) as log:
        model = load_model(model_file)
        _require_bodies(model, measurements)
        replace_markers(model, kept)
        write_trc(directory / "static.trc", pose)
        setup = setups.scale_setup(
            mass_kg=mass_kg,
            preserve_mass_distribution=preserve_mass_distribution,
            measurements=measurements,
            marker_file="static.trc",
            end_s=float(pose.time_s[-1]),
        )
        setups.write_setup(directory / "scale_setup.xml", setup)
        factors = _size_segments(model, directory, measurements, mass_kg, log)
        let_walk_anywhere(model)
        write_model(model, directory / "sized.osim")
    fit = _pose(directory, pose, marker_weights, coordinate_tasks, engine, accuracy)
    measured_m = dict(zip(pose.labels, pose.positions_m[0], strict=True))
    with tool_log(directory, _STAGE):
        model = load_model(directory / "sized.osim")
        names = [marker.name for marker in kept]
        placed_m = marker_positions(model, fit.coordinates.values[0], names)
        move_markers(model, fit.coordinates.values[0], measured_m)
        write_model(model, directory / "scaled.osim")
        masses = summarise(model).body_mass_kg
    errors_m = {name: float(np.linalg.norm(at - measured_m[name])) for name, at in zip(names, placed_m, strict=True)}
    return ScaledModel(
        osim_xml=(directory / "scaled.osim").read_text("utf-8"),
        scale_factors=factors,
        body_mass_kg=masses,
        marker_error_m=errors_m,
        dropped_markers=tuple(marker.name for marker in markers if marker not in kept),
    )


def _size_segments(
    model: osim.Model, directory: Path, measurements: Sequence[Measurement], mass_kg: float, log: ToolLog
) -> dict[str, tuple[float, float, float]]:
    """Run ModelScaler on the model, in place; returns its factors by body, 1 where nothing was measured."""
    tool = osim.ScaleTool(str(directory / "scale_setup.xml"))
    scaler = tool.getModelScaler()
    # Asked one by one, because the scale file that ModelScaler writes rounds to six digits.
    pose = osim.MarkerData(str(directory / "static.trc"))
    measured = scaler.getMeasurementSet()
    factors = {body: [1.0, 1.0, 1.0] for body in summarise(model).body_mass_kg}
    for i, measurement in enumerate(measurements):
        item = measured.get(i)
        factor = scaler.computeMeasurementScaleFactor(model.getWorkingState(), model, pose, item)
        for body, axes in measurement.scales:
            for axis in axes:
                factors[body]["XYZ".index(axis)] = float(factor)
    if not scaler.processModel(model, f"{directory}/", float(mass_kg)):
        raise TrialRejected(_STAGE, f"OpenSim's ModelScaler failed: {log.tail()}")
    model.initSystem()
    return {body: (x, y, z) for body, (x, y, z) in factors.items()}


def _pose(
    directory: Path,
    pose: Markers,
    marker_weights: Mapping[str, float],
    coordinate_tasks: Sequence[CoordinateTask],
    engine: Engine,
    accuracy: float,
) -> KinematicsResult:
    try:
        return engine.inverse_kinematics(
            directory / "sized.osim",
            pose,
            marker_weights=marker_weights,
            coordinate_tasks=coordinate_tasks,
            settings=InverseKinematicsSettings(ik_accuracy=accuracy),
            directory=directory / "static_pose",
        )
    except TrialRejected as rejected:
        raise TrialRejected(_STAGE, f"posing the scaled model as in the static trial: {rejected.reason}") from rejected


def _mean_frame(static: Markers) -> Markers:
    """One pose, written twice, of the markers that were seen at all."""
    seen = np.isfinite(static.positions_m).all(axis=2)
    kept = np.flatnonzero(seen.any(axis=0))
    if not len(kept):
        raise TrialRejected(_STAGE, "the static trial shows no markers; record one in which the subject stands still.")
    mean_m = np.array([static.positions_m[seen[:, i], i].mean(axis=0) for i in kept])
    return Markers(
        time_s=np.array([0.0, 1.0 / _POSE_RATE_HZ]),
        rate_hz=_POSE_RATE_HZ,
        labels=tuple(static.labels[i] for i in kept),
        positions_m=np.stack([mean_m, mean_m]),
    )


def _require_scaling_markers(
    measurements: Sequence[Measurement], markers: Sequence[ModelMarker], pose: Markers
) -> None:
    on_model = {marker.name for marker in markers}
    for measurement in measurements:
        needed = {name for pair in measurement.pairs for name in pair}
        unplaced = sorted(needed - on_model)
        if unplaced:
            raise ValueError(
                f"measurement {measurement.name}: markers {', '.join(unplaced)} have no place on the model."
            )
        missing = sorted(needed - set(pose.labels))
        if missing:
            raise TrialRejected(
                _STAGE,
                f"the static trial lacks {', '.join(missing)}, which the profile needs to size "
                f"{measurement.name}; it shows {', '.join(sorted(pose.labels))}. Use another static trial or profile.",
            )


def _require_bodies(model: osim.Model, measurements: Sequence[Measurement]) -> None:
    bodies = model.getBodySet()
    missing = sorted({body for m in measurements for body, _ in m.scales if not bodies.contains(body)})
    if missing:
        raise TrialRejected(
            _STAGE,
            f"model {model.getName()} has no body {', '.join(missing)}, which the profile scales; "
            "use a profile made for this model.",
        )
