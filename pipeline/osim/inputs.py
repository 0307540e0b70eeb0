"""What every engine asks of its input, so that a fault is refused in the same words whoever solves."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.osim.models.model import ModelSummary
from pipeline.records import Coordinates, FootWrench, Markers

_IK, _SO = "inverse_kinematics", "static_optimization"
# Fewer points can't say where a body is.
_MIN_MARKERS = 3


def tracked_markers(markers: Markers, marker_weights: Mapping[str, float], summary: ModelSummary) -> Markers:
    """The markers with a positive weight that model and measurement both have.

    TrialRejected("inverse_kinematics", …) if they are fewer than three, in all or in a frame.
    """
    names = tuple(
        name
        for name, weight in marker_weights.items()
        if weight > 0 and name in summary.markers and name in markers.labels
    )
    if len(names) < _MIN_MARKERS:
        raise TrialRejected(
            _IK,
            f"only {len(names)} markers ({', '.join(names) or 'none'}) are on the model {summary.name}, in the "
            f"recording and in the profile's weights; at least {_MIN_MARKERS} are needed. "
            "Does the profile fit the recording?",
        )
    columns = [markers.labels.index(name) for name in names]
    tracked = Markers(
        time_s=markers.time_s,
        rate_hz=markers.rate_hz,
        labels=names,
        positions_m=markers.positions_m[:, columns],
    )
    _require_seen(tracked)
    return tracked


def _require_seen(tracked: Markers) -> None:
    seen = np.isfinite(tracked.positions_m).all(axis=2).sum(axis=1)
    poor = np.flatnonzero(seen < _MIN_MARKERS)
    if len(poor):
        raise TrialRejected(
            _IK,
            f"{len(poor)} frames have fewer than {_MIN_MARKERS} tracked markers, the first at "
            f"{tracked.time_s[poor[0]]:.3f} s with {seen[poor[0]]}; cut the trial or fill its gaps.",
        )


def require_motion(coordinates: Coordinates, summary: ModelSummary) -> None:
    """ValueError unless every coordinate of the model has a value, and a finite one, in every frame."""
    missing = [c.name for c in summary.coordinates if c.name not in coordinates.names]
    if missing:
        raise ValueError(f"coordinates {', '.join(missing)} of model {summary.name} have no values.")
    finite = np.isfinite(coordinates.values).all(axis=0)
    broken = [name for name, sound in zip(coordinates.names, finite, strict=True) if not sound]
    if broken:
        raise ValueError(f"coordinates {', '.join(broken)} hold NaN or infinity; OpenSim would compute with them.")


def require_cover(wrenches: Sequence[FootWrench], time_s: np.ndarray) -> None:
    """ValueError unless the feet's wrenches share their times and cover those of the motion (T,)."""
    for wrench in wrenches:
        if not np.array_equal(wrench.time_s, wrenches[0].time_s):
            raise ValueError("the feet's wrenches must be sampled at the same times.")
        if wrench.time_s[0] > time_s[0] + 1e-6 or wrench.time_s[-1] < time_s[-1] - 1e-6:
            raise ValueError(
                f"the {wrench.side} foot's wrench covers {wrench.time_s[0]:.3f}-{wrench.time_s[-1]:.3f} s, "
                f"the coordinates {time_s[0]:.3f}-{time_s[-1]:.3f} s: outside it, the force would be guessed."
            )


def require_known_actuators(names: Iterable[str], coordinate_of: Mapping[str, str], summary: ModelSummary) -> None:
    """TrialRejected unless all of a model's actuators are muscles or act on one coordinate, and all are switched on."""
    if summary.switched_off:
        raise TrialRejected(
            _SO,
            f"model {summary.name} has actuators that apply no force (appliesForce false): "
            f"{', '.join(summary.switched_off)}. Remove them from the model, or switch them on.",
        )
    strangers = [name for name in names if name not in summary.muscles and name not in coordinate_of]
    if strangers:
        raise TrialRejected(
            _SO,
            f"model {summary.name} has actuators that are neither muscles nor act on one coordinate: "
            f"{', '.join(strangers)}; remove them from the model.",
        )
