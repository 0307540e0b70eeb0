"""Points that a laboratory's software computed, where a session has no marker of their name.

A knee-alignment device, say, leaves no marker on the knee: the software computes one from the device's (Vicon,
Plug-in Gait Reference Guide, "Knee alignment device"), and lists it in POINT:MODELED_MARKERS.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from pipeline.c3d.metadata import LENGTH_M
from pipeline.records import Recording


def with_modelled_points(recording: Recording, needed: Collection[str]) -> Recording:
    """The recording with the modelled points among `needed` as markers, where no marker has the label; and a warning.

    A point in an unknown unit, or never computed, stays where it is.
    """
    found = {
        label: output.values * LENGTH_M[output.unit.lower()]
        for label, output in recording.model_outputs.items()
        if output.kind == "modelled_marker"
        and label in needed
        and label not in recording.marker_labels
        and output.unit.lower() in LENGTH_M
        and np.isfinite(output.values).all(axis=1).any()
    }
    if not found:
        return recording
    note = (
        f"{', '.join(found)}: no marker, but computed by the laboratory's software (POINT:MODELED_MARKERS), and used "
        "as one."
    )
    return replace(
        recording,
        marker_labels=(*recording.marker_labels, *found),
        markers_m=np.concatenate([recording.markers_m, np.stack(list(found.values()), axis=1)], axis=1),
        model_outputs={label: output for label, output in recording.model_outputs.items() if label not in found},
        warnings=(*recording.warnings, note),
    )


def why_no_marker(recording: Recording, label: str) -> str:
    """What the file has under a label that no marker has, in words; "" if it has nothing."""
    output = recording.model_outputs.get(label)
    if output is None:
        return ""
    if output.kind != "modelled_marker":
        return f"{label} is the name of a computed {output.kind} in it"
    if output.unit.lower() not in LENGTH_M:
        return f"{label} is there as a modelled point, in the unknown unit {output.unit!r}"
    return f"{label} is there as a modelled point (POINT:MODELED_MARKERS)"
