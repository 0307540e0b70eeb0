"""How a walker gets on: the pelvis's heading, how far a stride turns, and the speed along the path.

Everything here is in the ground frame. Shapes: T marker frames.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.ground.cycles import Stride
from pipeline.records import Markers
from pipeline.session.profile import Profile
from warehouse.channels import TURN_DEG


def heading_deg(markers: Markers, profile: Profile) -> np.ndarray:
    """Where the pelvis faces, (T,), degrees from the forward axis to the left; NaN where it isn't seen."""
    across = markers.marker(profile.pelvis.right_anterior) - markers.marker(profile.pelvis.left_anterior)
    heading = np.arctan2(across[:, 0], across[:, 2])
    seen = np.isfinite(heading)
    heading[seen] = np.unwrap(heading[seen])
    return np.degrees(heading)


def with_headings(strides: Sequence[Stride], markers: Markers, profile: Profile) -> tuple[Stride, ...]:
    """The same strides, with how far each turns: from the pelvis's heading at its first strike to that at its last.

    The pelvis turns to and fro within a stride; a whole stride later it is where it was, unless the walker turns.
    """
    return with_turns(strides, markers.time_s, heading_deg(markers, profile))


def with_turns(strides: Sequence[Stride], time_s: np.ndarray, heading: np.ndarray) -> tuple[Stride, ...]:
    """The same strides, with how far each turns by a heading (T,) in degrees to the left, NaN where not known."""
    return tuple(
        replace(stride, heading_change_deg=_between(time_s, heading, stride.start_s, stride.stop_s))
        for stride in strides
    )


def turning(strides: Sequence[Stride]) -> tuple[Stride, ...]:
    """The strides that turn; one whose turn isn't known does not count."""
    return tuple(stride for stride in strides if abs(stride.heading_change_deg) > TURN_DEG)


def turns_in_words(strides: Sequence[Stride], so: str = "releases leave turns out unless asked") -> tuple[str, ...]:
    """Which of these strides turn, how far, and what follows."""
    return tuple(
        f"{stride.side} stride at {stride.start_s:.2f} s turns {abs(stride.heading_change_deg):.0f}° to the "
        f"{'left' if stride.heading_change_deg > 0 else 'right'}: {so}"
        for stride in turning(strides)
    )


def path_speed_m_s(markers: Markers, profile: Profile, strides: Sequence[Stride], belt_m_s: np.ndarray) -> float:
    """The walker's mean speed along the path on the floor, which moves with `belt_m_s` (3,) if it is a belt.

    The path is taken as arcs of about a stride's duration: chords alone would cut a turn's corners, and shorter ones
    would count the pelvis's sway. NaN if the pelvis is seen in less than two frames.
    """
    place = _pelvis(markers, profile) - np.outer(markers.time_s, belt_m_s)
    heading = heading_deg(markers, profile)
    seen = np.flatnonzero(np.isfinite(place).all(axis=1) & np.isfinite(heading))
    if len(seen) < 2:
        return float("nan")
    span_s = markers.time_s[seen[-1]] - markers.time_s[seen[0]]
    stride_s = float(np.median([stride.duration_s for stride in strides]))
    knots = seen[np.linspace(0, len(seen) - 1, max(1, round(span_s / stride_s)) + 1).round().astype(int)]
    chords = np.linalg.norm(np.diff(place[knots][:, [0, 2]], axis=0), axis=1)
    half_turns = np.abs(np.radians(np.diff(heading[knots]))) / 2
    # np.sinc(x) is sin(πx)/(πx): a circle's chord over its arc.
    return float((chords / np.sinc(half_turns / np.pi)).sum() / span_s)


def _between(time_s: np.ndarray, heading: np.ndarray, start_s: float, stop_s: float) -> float:
    seen = np.isfinite(heading)
    if not seen.any():
        return float("nan")
    first, last = np.interp([start_s, stop_s], time_s[seen], heading[seen])
    return float(last - first)


def _pelvis(markers: Markers, profile: Profile) -> np.ndarray:
    """The middle between the anterior spines, (T, 3)."""
    right, left = (markers.marker(label) for label in (profile.pelvis.right_anterior, profile.pelvis.left_anterior))
    middle: np.ndarray = (right + left) / 2
    return middle
