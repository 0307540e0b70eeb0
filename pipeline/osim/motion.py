"""One motion for inverse dynamics and static optimization, whose splines differ.

Inverse dynamics differentiates a natural quintic spline of positions twice; static optimization
differentiates another one, of speeds. At 100 Hz the two disagree near the ends of the data: on OpenSim's
walking_3d by 8 N at the pelvis and 1.2 N·m at the hip, decaying by a third per frame. Sampled four times as
densely on the first spline, the same motion leaves 0.05 N and 0.01 N·m.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import opensim as osim
from scipy.interpolate import BSpline, make_interp_spline

from pipeline.osim.files import write_storage
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import Coordinates

SAMPLES_PER_FRAME = 4
_DEGREE = 5
# A natural spline of this degree has no third and fourth derivative where it ends.
_NATURAL = (3, 4)


def natural_spline(time_s: np.ndarray, values: np.ndarray) -> BSpline:
    """The natural quintic spline through values (T, C), which OpenSim's tools differentiate.

    ValueError for fewer than six frames: they can't be differentiated twice.
    """
    if len(time_s) <= _DEGREE:
        raise ValueError(f"{len(time_s)} frames can't be differentiated twice; at least {_DEGREE + 1} are needed.")
    end = [(order, np.zeros(values.shape[1])) for order in _NATURAL]
    return make_interp_spline(time_s, values, k=_DEGREE, bc_type=(end, end))


def dense(coordinates: Coordinates) -> Coordinates:
    """The motion with three samples between any two frames, on its natural quintic spline.

    Frame n becomes sample 4 n. Frames must be evenly spaced; ValueError if they are not, or fewer than six.
    """
    time_s, values = coordinates.time_s, coordinates.values
    spline = natural_spline(time_s, values)
    steps_s = np.diff(time_s)
    if np.ptp(steps_s) > 1e-3 * steps_s.mean():
        raise ValueError(f"frames must be evenly spaced; steps are {steps_s.min():.6f} to {steps_s.max():.6f} s.")
    frame = np.arange(SAMPLES_PER_FRAME * (len(time_s) - 1) + 1) / SAMPLES_PER_FRAME
    dense_s = np.interp(frame, np.arange(len(time_s)), time_s)
    return replace(coordinates, time_s=dense_s, values=spline(dense_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """values, speeds and accelerations, (T, Q) each."""

    values: np.ndarray
    speeds: np.ndarray
    accelerations: np.ndarray


def differentiated(shared: SharedModel, coordinates: Coordinates, lowpass_hz: float | None, directory: Path) -> Motion:
    """The motion on its natural quintic spline, filtered by OpenSim's own filter first if a cut-off is given."""
    time_s = coordinates.time_s
    values = coordinates.values[:, [coordinates.names.index(name) for name in shared.names]]
    if lowpass_hz is None:
        # The spline goes through them.
        spline = natural_spline(time_s, values)
    else:
        spline = natural_spline(*_low_passed(shared.names, time_s, values, lowpass_hz, directory))
        values = spline(time_s)
    return Motion(values=values, speeds=spline(time_s, 1), accelerations=spline(time_s, 2))


def _low_passed(
    names: Sequence[str], time_s: np.ndarray, values: np.ndarray, lowpass_hz: float, directory: Path
) -> tuple[np.ndarray, np.ndarray]:
    """What OpenSim's tools make of `lowpass_hz`: mirrored at both ends by half the record, then filtered."""
    path = directory / "unfiltered.sto"
    write_storage(path, names, time_s, values)
    storage = osim.Storage(str(path))
    storage.pad(storage.getSize() // 2)
    storage.lowpassIIR(float(lowpass_hz))
    times, column = osim.ArrayDouble(), osim.ArrayDouble()
    storage.getTimeColumn(times)
    filtered = np.empty((times.getSize(), len(names)))
    for i in range(len(names)):
        storage.getDataColumn(i, column)
        filtered[:, i] = [column.get(t) for t in range(column.getSize())]
    return np.array([times.get(t) for t in range(times.getSize())]), filtered
