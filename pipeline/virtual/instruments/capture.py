"""A performance as the laboratory's instruments record it: its place in the room, cameras, plates."""

from dataclasses import dataclass

import numpy as np

from pipeline.records import SIDES
from pipeline.session.profile import Profile
from pipeline.virtual.instruments.blemishes import Blemishes, Mark
from pipeline.virtual.instruments.marker_blemishes import (
    Skin,
    hide,
    noise_m,
    noise_marks,
    skin_displacement_m,
    swap_labels,
)
from pipeline.virtual.instruments.placement import moved, standing_place, start_of
from pipeline.virtual.instruments.plate_blemishes import electrical, half_off, scuff, without_offset
from pipeline.virtual.instruments.plate_loads import plate_channels
from pipeline.virtual.laboratory import Heading, to_room
from pipeline.virtual.records import ANALOG_RATE_HZ, MARKER_RATE_HZ, Performance

# The plates' zero is read until this many frames before the first load, and from at least so many frames.
ZERO_MARGIN_FRAMES = 5
SHORTEST_ZERO_FRAMES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One recording and its truth.

    `performance` is the truth, in the walker's ground frame with the room's origin. markers_m (T, M, 3) are in the
    room's frame, NaN where hidden. plates (S, P, 6) are the amplifiers' outputs, N and N·m in each plate's axes.
    `unloaded` are the first and last frame, from 1, that the operator marked as without a load.
    """

    performance: Performance
    heading: Heading
    markers_m: np.ndarray
    plates: np.ndarray
    unloaded: tuple[int, int] | None
    marks: tuple[Mark, ...]


def capture_walk(
    performance: Performance,
    profile: Profile,
    heading: Heading,
    skin: Skin,
    settings: Blemishes,
    rng: np.random.Generator,
) -> Capture:
    """Record a walk. Each blemish has its own random stream, so that switching one off changes no other."""
    streams = dict(zip(("stray", "stumble", "noise", "swap", "gaps", "plates"), rng.spawn(6), strict=True))
    forward_m, right_m = start_of(performance, profile, heading)
    stray_m, stray_marks = half_off(performance, heading, settings, streams["stray"])
    placed = moved(performance, forward_m, right_m if stray_m is None else stray_m)
    extra, stumble_marks = scuff(placed, profile, heading, settings, streams["stumble"])
    loads = plate_channels((*(placed.load[side] for side in SIDES), *extra), heading)
    amplified, electrical_marks = electrical(loads.shape, ANALOG_RATE_HZ, settings, streams["plates"])
    seen = placed.markers_m + skin_displacement_m(skin, placed.contacts, placed.coordinates.time_s)
    seen = seen + noise_m(seen.shape, MARKER_RATE_HZ, settings, streams["noise"])
    labels = placed.marker_names
    seen, swap_marks = swap_labels(seen, labels, profile, MARKER_RATE_HZ, settings, streams["swap"])
    seen, gap_marks = hide(seen, labels, MARKER_RATE_HZ, settings, streams["gaps"])
    return Capture(
        performance=placed,
        heading=heading,
        markers_m=seen @ to_room(heading).T,
        plates=loads + amplified,
        unloaded=_unloaded(loads),
        marks=(*noise_marks(settings), *stray_marks, *stumble_marks, *swap_marks, *gap_marks, *electrical_marks),
    )


def capture_standing(performance: Performance, settings: Blemishes, rng: np.random.Generator) -> Capture:
    """Record the static trial: both feet on the second plate, right after the amplifiers were set to zero.

    There is no skin displacement: it is measured from the markers' places in standing.
    """
    heading: Heading = "+y"
    cameras, amplifiers = rng.spawn(2)
    placed = moved(performance, *standing_place(performance, heading))
    loads = plate_channels([placed.load[side] for side in SIDES], heading)
    amplified, marks = electrical(loads.shape, ANALOG_RATE_HZ, without_offset(settings), amplifiers)
    noise = noise_m(placed.markers_m.shape, MARKER_RATE_HZ, settings, cameras)
    return Capture(
        performance=placed,
        heading=heading,
        markers_m=(placed.markers_m + noise) @ to_room(heading).T,
        plates=loads + amplified,
        unloaded=None,
        marks=(*(mark for mark in noise_marks(settings) if mark.blemish != "soft_tissue"), *marks),
    )


def _unloaded(loads: np.ndarray) -> tuple[int, int] | None:
    samples_per_frame = round(ANALOG_RATE_HZ / MARKER_RATE_HZ)
    pressed = np.flatnonzero(np.any(loads != 0, axis=(1, 2)))
    first_loaded = int(pressed[0]) // samples_per_frame if len(pressed) else len(loads) // samples_per_frame
    last = first_loaded - ZERO_MARGIN_FRAMES
    return (1, last) if last >= SHORTEST_ZERO_FRAMES else None
