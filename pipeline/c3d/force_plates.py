"""Force plates: analog channels to a wrench in the laboratory's frame, and the centre of pressure from it.

Conventions (C3D User Guide, "The FORCE_PLATFORM group"). A plate's own axes come from its corners: x from
corners 2 and 3 towards 1 and 4, y from 3 and 4 towards 1 and 2, z = x × y, into the floor. Its channels hold
the *reaction*, the force on the body: in all the recordings that this was tried on (two laboratories' adults
and children, OpenSim's walking5, c3d.org's samples, BTS, Qualisys) standing on a plate drives Fz negative,
which along a z pointing down is a push upwards. So the wrench is only rotated, never negated.

ORIGIN is, by the guide, the vector from the transducers' origin to the centre of the surface; its z is then
negative. Some systems store the opposite vector: c3d.org's sample_01 and sample_02 hold the same two plates
with all three signs exchanged. The z tells which, since no plate's transducers are above its surface.

Shapes: S analog samples, K channels of a plate.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.records import ForcePlate

CHANNELS_OF_TYPE = {1: 6, 2: 6, 3: 8, 4: 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateSetup:
    """One plate as the file describes it: corners_m (4, 3) in the laboratory, origin_m (3,) as stored.

    `calibration` (6, 6) turns a type 4 plate's channels into N and N·m; None for other types.
    """

    number: int
    type: int
    corners_m: np.ndarray
    origin_m: np.ndarray
    calibration: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.type not in CHANNELS_OF_TYPE:
            raise ValueError(f"force plate {self.number}: type {self.type} is not one of {sorted(CHANNELS_OF_TYPE)}.")
        if (self.calibration is not None) != (self.type == 4):
            raise ValueError(f"force plate {self.number}: a type 4 plate, and no other, has a calibration matrix.")


def plate_axes(corners_m: np.ndarray) -> np.ndarray:
    """The plate's x, y and z (down) as columns in the laboratory's frame, (3, 3), orthonormal.

    Raises ValueError if the corners (4, 3) don't span a surface.
    """
    x = corners_m[0] + corners_m[3] - corners_m[1] - corners_m[2]
    towards_y = corners_m[0] + corners_m[1] - corners_m[2] - corners_m[3]
    z = np.cross(x, towards_y)
    # A plate is never smaller than 10 cm by 10 cm; sums of two edges are twice as long as an edge.
    if not np.linalg.norm(z) > 4 * 0.1 * 0.1:
        raise ValueError(f"the corners {corners_m.tolist()} (metres) don't span a surface.")
    x, z = x / np.linalg.norm(x), z / np.linalg.norm(z)
    return np.column_stack([x, np.cross(z, x), z])


def measured_plate(setup: PlateSetup, channels: np.ndarray) -> ForcePlate:
    """The wrench that a plate measured, in the laboratory's frame, on the body.

    channels (S, K) in the order of FORCE_PLATFORM:CHANNEL, in N, N·m and m, except for type 4, where they are
    what its calibration matrix expects. Raises ValueError if the corners don't span a surface.
    """
    axes = plate_axes(setup.corners_m)
    force, moment, origin = _WRENCH_OF_TYPE[setup.type](channels, setup)
    return ForcePlate(
        number=setup.number,
        type=setup.type,
        corners_m=setup.corners_m,
        origin_m=setup.corners_m.mean(axis=0) + axes @ origin,
        normal=-axes[:, 2],
        force_n=force @ axes.T,
        moment_nm=moment @ axes.T,
    )


Wrench = tuple[np.ndarray, np.ndarray, np.ndarray]


def _centre_of_pressure_channels(channels: np.ndarray, _setup: PlateSetup) -> Wrench:
    """Type 1: force, centre of pressure (x, y) on the surface, free moment. Its origin is the surface's."""
    force = channels[:, :3]
    cop = np.column_stack([channels[:, 3:5], np.zeros(len(channels))])
    free_moment = np.column_stack([np.zeros((len(channels), 2)), channels[:, 5]])
    return force, np.cross(cop, force) + free_moment, np.zeros(3)


def _six_components(channels: np.ndarray, setup: PlateSetup) -> Wrench:
    """Type 2: force and moment about the transducers' origin."""
    return channels[:, :3], channels[:, 3:], _below_surface(setup.origin_m)


def _eight_forces(channels: np.ndarray, setup: PlateSetup) -> Wrench:
    """Type 3: fx12, fx34, fy14, fy23, fz1 ... fz4 at (±a, ±b), which ORIGIN gives with their depth."""
    fx12, fx34, fy14, fy23, fz1, fz2, fz3, fz4 = channels.T
    a, b, _ = np.abs(setup.origin_m)
    force = np.column_stack([fx12 + fx34, fy14 + fy23, fz1 + fz2 + fz3 + fz4])
    moment = np.column_stack(
        [b * (fz1 + fz2 - fz3 - fz4), a * (fz2 + fz3 - fz1 - fz4), b * (fx34 - fx12) + a * (fy14 - fy23)]
    )
    return force, moment, _below_surface(np.array([0.0, 0.0, setup.origin_m[2]]))


def _calibrated_components(channels: np.ndarray, setup: PlateSetup) -> Wrench:
    """Type 4: type 2 after a 6 × 6 calibration matrix that corrects cross-talk."""
    assert setup.calibration is not None
    return _six_components(channels @ setup.calibration.T, setup)


def _below_surface(stored_origin: np.ndarray) -> np.ndarray:
    """The vector from the surface's centre to the transducers' origin in plate axes (z down), so z >= 0."""
    return stored_origin if stored_origin[2] > 0 else -stored_origin


_WRENCH_OF_TYPE = {
    1: _centre_of_pressure_channels,
    2: _six_components,
    3: _eight_forces,
    4: _calibrated_components,
}


def centre_of_pressure(plate: ForcePlate, threshold_n: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Where the body pushes on the plate, (S, 3) in the laboratory, and the free moment there, (S,).

    The free moment is the one on the body about the plate's normal, N·m. Both are NaN where the force along
    the normal is below `threshold_n`: dividing by a small force puts the point anywhere.
    """
    vertical_n = plate.force_n @ plate.normal
    loaded = vertical_n >= threshold_n
    centre = plate.surface_m
    moment = plate.moment_nm[loaded] + np.cross(plate.origin_m - centre, plate.force_n[loaded])
    # For a point r of the surface (r · n = 0) and M = r × F + T n, n × M is r (n · F).
    from_centre = np.cross(plate.normal, moment) / vertical_n[loaded, None]
    cop_m = np.full(plate.force_n.shape, np.nan)
    cop_m[loaded] = centre + from_centre
    free_moment_nm = np.full(len(plate.force_n), np.nan)
    free_moment_nm[loaded] = (moment - np.cross(from_centre, plate.force_n[loaded])) @ plate.normal
    return cop_m, free_moment_nm
