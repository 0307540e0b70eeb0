"""The generic model in another size, as if a static trial had measured it exactly."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import opensim as osim

from pipeline.osim.models.model import load_model, replace_markers, summarise, write_model
from pipeline.records import ModelMarker, ScaledModel


def resize_model(
    model_file: Path,
    *,
    factors: Mapping[str, tuple[float, float, float]],
    mass_kg: float,
    markers: Sequence[ModelMarker],
    moved_m: Mapping[str, tuple[float, float, float]],
) -> ScaledModel:
    """Scale bodies by x, y, z factors (1 where none is named), masses in proportion to the generic model's.

    Markers sit at their scaled places, moved by `moved_m` (3,) in their body's frame.
    ValueError names a body that the model lacks.
    """
    osim.Logger.removeFileSink()
    model = load_model(model_file)
    replace_markers(model, markers)
    bodies = model.getBodySet()
    unknown = sorted(body for body in factors if not bodies.contains(body))
    if unknown:
        raise ValueError(f"{model_file.name} has no body {', '.join(unknown)} to resize.")
    scales = osim.ScaleSet()
    for body, by in factors.items():
        scale = osim.Scale()
        scale.setSegmentName(body)
        scale.setScaleFactors(osim.Vec3(*by))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    state = model.initSystem()
    # As ModelScaler does with preserve_mass_distribution.
    model.scale(state, scales, True, mass_kg)
    _move_markers(model, moved_m)
    model.initSystem()
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        path = Path(directory) / "resized.osim"
        write_model(model, path)
        text = path.read_text("utf-8")
    every = summarise(model).body_mass_kg
    return ScaledModel(
        osim_xml=text,
        scale_factors={body: factors.get(body, (1.0, 1.0, 1.0)) for body in every},
        body_mass_kg=every,
        marker_error_m={},
        dropped_markers=(),
    )


def _move_markers(model: osim.Model, moved_m: Mapping[str, tuple[float, float, float]]) -> None:
    markers = model.updMarkerSet()
    for i in range(markers.getSize()):
        marker = markers.get(i)
        by = moved_m.get(marker.getName(), (0.0, 0.0, 0.0))
        place = marker.get_location().to_numpy() + by
        marker.set_location(osim.Vec3(*(float(x) for x in place)))
