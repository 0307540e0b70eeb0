"""The virtual laboratory's room: a walkway along its y axis, z up, and four force plates in a row on it.

Walkers move in a ground frame (x forward, y up, z right), and a heading says how that frame lies in the room. Both have
their origin on the floor at a corner of the first plate, so that they differ by a rotation only.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Heading = Literal["+y", "-y"]

# AMTI's BP600900 (0.6 m by 0.9 m) lies across the walkway: long enough for a foot, too short for two. With these gaps,
# steps of about 0.55 to 0.72 m put four feet on plates of their own, other steps two or three.
PLATE_LENGTH_M = 0.6
PLATE_WIDTH_M = 0.9
GAP_M = 0.03
PITCH_M = PLATE_LENGTH_M + GAP_M

_FORWARD: dict[Heading, float] = {"+y": 1.0, "-y": -1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """One type 2 plate in the room, metres.

    corners_m (4, 3) are in C3D's order: the plate's x points from corners 2 and 3 to 1 and 4, its y from 3 and 4 to 1
    and 2, its z into the floor. stored_origin_m (3,) is FORCE_PLATFORM:ORIGIN, from the transducers' origin to the
    centre of the surface in plate axes. gain is the amplifier's calibration factor, close to 1 or to -1.
    """

    number: int
    corners_m: np.ndarray
    stored_origin_m: np.ndarray
    gain: float

    @property
    def axes(self) -> np.ndarray:
        """The plate's x, y and z as columns in the room's frame, (3, 3)."""
        x = self.corners_m[0] - self.corners_m[1]
        y = self.corners_m[0] - self.corners_m[3]
        x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
        return np.column_stack([x, y, np.cross(x, y)])

    @property
    def transducers_m(self) -> np.ndarray:
        """The point (3,) in the room about which the plate measures moments."""
        centre: np.ndarray = self.corners_m.mean(axis=0)
        return centre - self.axes @ self.stored_origin_m


def _plate(number: int, way: float, stored_origin_mm: tuple[float, float, float], gain: float) -> Plate:
    """The plate of this number in the row; `way` is 1, or -1 for a plate that is turned around."""
    low_y = (number - 1) * PITCH_M
    centre = np.array([PLATE_WIDTH_M / 2, low_y + PLATE_LENGTH_M / 2, 0.0])
    x, y = np.array([0.0, way * PLATE_LENGTH_M / 2, 0.0]), np.array([way * PLATE_WIDTH_M / 2, 0.0, 0.0])
    return Plate(
        number=number,
        corners_m=centre + np.array([x + y, y - x, -x - y, x - y]),
        stored_origin_m=np.array(stored_origin_mm) * 1e-3,
        gain=gain,
    )


# As in real laboratories: every other plate is turned around for its cable, the transducers lie some 4 cm below the
# surface and not quite under its centre, and one amplifier has the opposite sign, which its calibration corrects.
PLATES = (
    _plate(1, 1.0, (0.4, -0.9, -41.2), 1.003),
    _plate(2, -1.0, (-1.1, 0.3, -40.6), 0.996),
    _plate(3, 1.0, (0.7, 1.2, -41.0), -1.001),
    _plate(4, -1.0, (-0.2, -0.5, -40.9), 1.008),
)


def to_room(heading: Heading) -> np.ndarray:
    """(3, 3): room = matrix @ ground, for a walker with this heading."""
    way = _FORWARD[heading]
    return np.array([[0.0, 0.0, way], [way, 0.0, 0.0], [0.0, 1.0, 0.0]])


def boxes_m(heading: Heading) -> np.ndarray:
    """Each plate's surface in a walker's ground frame, (P, 2, 2): forward and right, low and high."""
    corners = np.stack([plate.corners_m @ to_room(heading) for plate in PLATES])[:, :, [0, 2]]
    return np.stack([corners.min(axis=1), corners.max(axis=1)], axis=2)
