"""Segment frames from points and directions, and the angles between two of them.

A frame is a rotation (T, 3, 3) whose columns are the segment's axes: x forward, y up and z to the right of the standing
body, on either side (Wu & Cavanagh 1995, J Biomech 28:1257). Shapes: T frames. A point that is NaN gives NaN.
"""

from typing import Literal

import numpy as np

Axis = Literal["x", "y", "z"]
# The order of three rotations: each about an axis as the ones before it have turned it.
Order = Literal["ZXY", "ZYX", "YXZ"]

_NUMBER: dict[Axis, int] = {"x": 0, "y": 1, "z": 2}


def segment_frame(axis: Axis, along: np.ndarray, second: Axis, towards: np.ndarray) -> np.ndarray:
    """The frame (T, 3, 3) whose `axis` is along one vector (T, 3), its axis `second` as near as can be to another."""
    first, other = _NUMBER[axis], _NUMBER[second]
    third = 3 - first - other
    sign = 1.0 if (other - first) % 3 == 1 else -1.0
    frame = np.empty((len(along), 3, 3))
    frame[:, :, first] = _unit(along)
    frame[:, :, third] = _unit(sign * np.cross(frame[:, :, first], towards))
    frame[:, :, other] = sign * np.cross(frame[:, :, third], frame[:, :, first])
    return frame


def angles_between(proximal: np.ndarray, distal: np.ndarray, order: Order) -> dict[Axis, np.ndarray]:
    """The three rotations that carry one frame (T, 3, 3) into another, radians (T,), by the axis each is about.

    The second is within ±90 degrees, the others within ±180. At ±90 degrees of the second the others mean nothing.
    """
    relative = proximal.swapaxes(-1, -2) @ distal
    i, j, k = (_NUMBER[_axis(letter)] for letter in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    second = np.arcsin(np.clip(sign * relative[:, i, k], -1.0, 1.0))
    first = np.arctan2(-sign * relative[:, j, k], relative[:, k, k])
    third = np.arctan2(-sign * relative[:, i, j], relative[:, i, i])
    return dict(zip(map(_axis, order), (first, second, third), strict=True))


def turned_about_y(frame: np.ndarray, angle: float) -> np.ndarray:
    """A frame (T, 3, 3) turned about its own axis y, radians."""
    c, s = np.cos(angle), np.sin(angle)
    turned: np.ndarray = frame @ np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    return turned


def _axis(letter: str) -> Axis:
    axes: dict[str, Axis] = {"X": "x", "Y": "y", "Z": "z"}
    return axes[letter]


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
