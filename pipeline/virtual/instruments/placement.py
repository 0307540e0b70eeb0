"""Where on the walkway a walk is recorded: the start is moved until most feet land on plates of their own.

Shapes: S starts, K footprints, B plates; places on the floor are forward and right.
"""

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from pipeline.ground.floor import TOE_OVERHANG
from pipeline.records import SIDES, Side
from pipeline.session.profile import Profile, foot_of
from pipeline.virtual.dynamics.planted import NoMotion
from pipeline.virtual.instruments.plate_loads import PATCH_LENGTH_M, PATCH_WIDTH_M
from pipeline.virtual.laboratory import Heading, boxes_m
from pipeline.virtual.person.body import Body
from pipeline.virtual.records import FootContact, Performance

# A foot, with the pressure around it, is wholly on a plate if it keeps this far from the edges.
CLEAR_M = 0.005
# The plates are empty for this long at first, so that their amplifiers' zero can be read.
QUIET_S = 0.3
STEP_M = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class _Footprint:
    """One contact's box on the floor, low_m and high_m (2,), its times, and whether it begins a recorded stride."""

    side: Side
    start_s: float
    stop_s: float
    low_m: np.ndarray
    high_m: np.ndarray
    stride: bool


def start_of(performance: Performance, profile: Profile, heading: Heading) -> tuple[float, float]:
    """How far forward and right, metres, to move a walk so that most feet land wholly on a plate of their own.

    The path runs along the plates' middle, and the plates are empty at first. Only feet that begin a recorded stride
    count. The first of equally good starts is taken.
    """
    starts, worth = _places(_footprints(performance, profile), boxes_m(heading))
    return starts[max(range(len(starts)), key=lambda number: worth[number])]


def require_place(body: Body, performance: Performance) -> None:
    """NoMotion if in one of the two directions no start puts a foot wholly on a plate of its own."""
    prints = _footprints(performance, body.profile)
    for heading in get_args(Heading):
        _, n_clear, *_ = max(_places(prints, boxes_m(heading))[1])
        if not n_clear:
            raise NoMotion(
                f"virtual subject {body.subject.subject_id} takes steps so short that from no start that leaves the "
                "plates empty at first a foot has one to itself. Use another --seed."
            )


def side_line_m(heading: Heading, side: Side) -> float:
    """The edge of the row of plates on this side of a walker, metres to the right."""
    edges = boxes_m(heading)[0, 1]
    return float(edges[1] if side == "right" else edges[0])


def standing_place(performance: Performance, heading: Heading) -> tuple[float, float]:
    """How far forward and right to move a standing person onto the second plate, metres."""
    pressed = np.concatenate([performance.load[side].cop_m for side in SIDES])
    middle = boxes_m(heading)[1].mean(axis=1)
    centre = np.nanmean(pressed[:, [0, 2]], axis=0)
    return float(middle[0] - centre[0]), float(middle[1] - centre[1])


def moved(performance: Performance, forward_m: float, right_m: float) -> Performance:
    """The same performance elsewhere on the floor, beginning at time 0."""
    by = np.array([forward_m, 0.0, right_m])
    start_s = float(performance.coordinates.time_s[0])
    time_s = performance.coordinates.time_s - start_s
    values = performance.coordinates.values.copy()
    values[:, performance.coordinates.names.index("pelvis_tx")] += forward_m
    values[:, performance.coordinates.names.index("pelvis_tz")] += right_m
    return replace(
        performance,
        coordinates=replace(performance.coordinates, time_s=time_s, values=values),
        moments=replace(performance.moments, time_s=time_s),
        markers_m=performance.markers_m + by,
        load={side: replace(load, cop_m=load.cop_m + by) for side, load in performance.load.items()},
        contacts=tuple(
            replace(contact, strike_s=contact.strike_s - start_s, off_s=contact.off_s - start_s)
            for contact in performance.contacts
        ),
    )


def _footprints(performance: Performance, profile: Profile) -> list[_Footprint]:
    return [_footprint(contact, performance, profile) for contact in performance.contacts]


def _footprint(contact: FootContact, performance: Performance, profile: Profile) -> _Footprint:
    time_s, foot = performance.coordinates.time_s, foot_of(profile, contact.side)
    middle = int(np.argmin(np.abs(time_s - (contact.strike_s + contact.off_s) / 2)))
    heel, toe = (performance.middle(labels)[middle, [0, 2]] for labels in (foot.heel, foot.toe))
    cop_m = performance.load[contact.side].cop_m
    sample_s = time_s[0] + np.arange(len(cop_m)) * (time_s[1] - time_s[0]) * len(time_s) / len(cop_m)
    during = (sample_s >= contact.strike_s) & (sample_s <= contact.off_s) & np.isfinite(cop_m[:, 0])
    pressed_m = cop_m[during][:, [0, 2]]
    patch_m = np.array([PATCH_LENGTH_M, PATCH_WIDTH_M]) / 2
    outline = np.vstack([heel, heel + (1 + TOE_OVERHANG) * (toe - heel), pressed_m - patch_m, pressed_m + patch_m])
    later = [one.strike_s for one in performance.contacts if one.side == contact.side]
    return _Footprint(
        side=contact.side,
        start_s=contact.strike_s - time_s[0],
        stop_s=contact.off_s - time_s[0],
        low_m=outline.min(axis=0),
        high_m=outline.max(axis=0),
        stride=contact.strike_s > time_s[0] and any(strike_s > contact.off_s for strike_s in later),
    )


def _places(prints: list[_Footprint], boxes: np.ndarray) -> tuple[list[tuple[float, float]], list[tuple]]:
    """All starts, forward and right, from which a walk meets the plates, and what each is worth."""
    right_m = float(boxes[:, 1].mean() - np.mean([(one.low_m[1] + one.high_m[1]) / 2 for one in prints]))
    row_low_m, row_high_m = boxes[:, 0].min(), boxes[:, 0].max()
    course_m = [one.low_m[0] for one in prints]
    shifts_m = np.arange(row_low_m - max(course_m), row_high_m - min(course_m), STEP_M)
    return [(float(shift_m), right_m) for shift_m in shifts_m], _worth(prints, shifts_m, right_m, boxes)


def _worth(prints: list[_Footprint], shifts_m: np.ndarray, right_m: float, boxes: np.ndarray) -> list[tuple]:
    """What each of the shifts (S,) is worth: tuples, compared from the first figure on.

    Their figures: whether the plates are empty at first, the number of well placed feet, the number of consecutive
    ones, and their mean distance from the edges. A foot is well placed if it begins a stride alone on a plate. Two
    consecutive feet carry the whole weight over a stride, which lets the stated mass be checked.
    """
    room_m, touching = _on_plates(prints, shifts_m, right_m, boxes)
    start_s, stop_s = (np.array([getattr(one, name) for one in prints]) for name in ("start_s", "stop_s"))
    together = (start_s < stop_s[:, None]) & (stop_s > start_s[:, None]) & ~np.eye(len(prints), dtype=bool)
    shared = (together[..., None] & touching[:, None]).any(axis=2)
    stride = np.array([one.stride for one in prints])[:, None]
    kept_m = np.where(stride & (room_m >= CLEAR_M) & ~shared, room_m, 0.0).max(axis=2)
    clear = kept_m > 0
    n_clear = clear.sum(axis=1)
    return list(
        zip(
            np.logical_not(touching[:, start_s < QUIET_S].any(axis=(1, 2))).tolist(),
            n_clear,
            (clear[:, :-1] & clear[:, 1:]).sum(axis=1),
            kept_m.sum(axis=1) / np.maximum(n_clear, 1),
            strict=True,
        )
    )


def _on_plates(
    prints: list[_Footprint], shifts_m: np.ndarray, right_m: float, boxes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each foot's distance from each plate's edges, and whether it touches the plate: (S, K, B) each."""
    by = np.column_stack([shifts_m, np.full(len(shifts_m), right_m)])[:, None, None]
    low_m, high_m = (np.array([getattr(one, name) for one in prints])[:, None] for name in ("low_m", "high_m"))
    room_m = np.minimum(low_m + by - boxes[..., 0], boxes[..., 1] - high_m - by).min(axis=-1)
    touching = ((low_m + by < boxes[..., 1]) & (high_m + by > boxes[..., 0])).all(axis=-1)
    return room_m, touching
