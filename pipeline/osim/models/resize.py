"""The generic model in another size: what sizing makes a subject's model of, and the virtual laboratory a person's."""

import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import opensim as osim

from pipeline.osim.models.model import let_walk_anywhere, load_model, replace_markers, summarise, write_model
from pipeline.records import ModelMarker, ScaledModel

Factors = Mapping[str, tuple[float, float, float]]


def resize_model(
    model_file: Path,
    *,
    factors: Factors,
    mass_kg: float,
    markers: Sequence[ModelMarker],
    mass_shares: Mapping[str, float] | None = None,
    reached_deg: Mapping[str, float] | None = None,
) -> ScaledModel:
    """Scale bodies by x, y, z factors (1 where none is named) and put markers where they are on the scaled bodies.

    Masses are the generic model's in proportion, or `mass_kg` by `mass_shares`, which name every body and add up to 1.
    `reached_deg`: angles that coordinates' ranges are widened to hold. A body may walk anywhere.
    ValueError names a body or coordinate that the model lacks.
    """
    osim.Logger.removeFileSink()
    model = load_model(model_file)
    bodies = model.getBodySet()
    unknown = sorted(body for body in factors if not bodies.contains(body))
    if unknown:
        raise ValueError(f"{model_file.name} has no body {', '.join(unknown)} to resize.")
    replace_markers(model, ())
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
    if mass_shares is not None:
        _share_out(model, mass_kg, mass_shares)
    _widen_ranges(model, reached_deg or {})
    replace_markers(model, markers)
    let_walk_anywhere(model)
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


def _share_out(model: osim.Model, mass_kg: float, shares: Mapping[str, float]) -> None:
    """Give bodies their shares of the mass; moments of inertia change in proportion."""
    bodies = model.updBodySet()
    for i in range(bodies.getSize()):
        body = bodies.get(i)
        name, before_kg = body.getName(), body.getMass()
        body.setMass(mass_kg * shares[name])
        inertia = body.getInertia()
        moments, products = inertia.getMoments(), inertia.getProducts()
        by = body.getMass() / before_kg if before_kg else 1.0
        body.setInertia(
            osim.Inertia(*(by * moments.get(k) for k in range(3)), *(by * products.get(k) for k in range(3)))
        )


def _widen_ranges(model: osim.Model, reached_deg: Mapping[str, float]) -> None:
    coordinates = model.updCoordinateSet()
    for name, reached in reached_deg.items():
        if not coordinates.contains(name):
            raise ValueError(f"model {model.getName()} has no coordinate {name} to widen.")
        coordinate = coordinates.get(name)
        coordinate.setRangeMin(min(coordinate.getRangeMin(), math.radians(reached)))
        coordinate.setRangeMax(max(coordinate.getRangeMax(), math.radians(reached)))
    model.finalizeConnections()
