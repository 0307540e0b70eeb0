"""The marker set that an OpenSim model carries."""

from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.osim.models.model import load_model
from pipeline.records import ModelMarker


def read_marker_set(model_file: Path) -> tuple[ModelMarker, ...]:
    """The model's markers, each on the body that carries it.

    TrialRejected("model", …) if it has none, or can't be read.
    """
    model = load_model(model_file)
    markers = model.getMarkerSet()
    found = []
    for number in range(markers.getSize()):
        marker = markers.get(number)
        frame = marker.getParentFrame()
        place = frame.findTransformInBaseFrame().shiftFrameStationToBase(marker.get_location())
        x, y, z = (float(place.get(axis)) for axis in range(3))
        found.append(
            ModelMarker(
                name=marker.getName(),
                body=frame.findBaseFrame().getName(),
                location_m=(x, y, z),
                fixed=marker.get_fixed(),
            )
        )
    if not found:
        raise TrialRejected(
            "model", f"{model_file.name} has no markers. Give a model with its laboratory's marker set."
        )
    return tuple(found)
