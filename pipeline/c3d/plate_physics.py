"""Whether what a plate measured can be: it pushes, and it pushes within its edges.

A file states a plate's units, sign and origin, and files state them wrongly. The centre of pressure tells: it lies on
the plate, and under a foot it moves. Where what is stated puts it metres off and exactly one other reading puts it on
the plate, that reading is taken, with a warning. Where what is stated can be, but another reading is likelier, the
plate can't be read for certain.

Shapes: S analog samples, K channels of a plate, N loaded samples.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.c3d.force_plates import CHANNELS_OF_TYPE, PlateSetup, centre_of_pressure, measured_plate
from pipeline.records import ForcePlate

# A plate carries something from this force on, or from this share of its peak.
LOADED_N = 50.0
LOADED_SHARE = 0.1
# Fewer samples than that tell nothing.
_FEWEST_SAMPLES = 10
# Samples that are looked at.
_MOST_SAMPLES = 2000
# A centre of pressure may lie beyond the edge by this share of the plate's length: corners are measured by hand.
_BEYOND_EDGE = 0.1
_ALL_BUT_NOISE = 0.95
# A sole rolls over many centimetres, and even a standing body sways by millimetres.
_STILL_M = 0.3e-3
# A foot's free moment is friction across a foot: never more than this times the vertical force.
LARGEST_FREE_MOMENT_M = 0.3
# The two directions of an ORIGIN without depth differ by more than a centre of pressure is wrong by.
_NOTABLE_ORIGIN_M = 0.005
# A plate that pulls in so many of its samples, and pushes in hardly any, has its sign reversed.
_PULLING_SHARE = 0.02
_PULLED_N = 100.0
_UNIT_FACTOR = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pressure:
    """Where a loaded plate is pushed: `places` (N, 2) along its two edges, from -0.5 to 0.5 between them.

    `arms_m` (N, 2) is what the moment channels alone contribute to it, along the same edges.
    """

    places: np.ndarray
    arms_m: np.ndarray
    free_lever_m: float

    @property
    def share_inside(self) -> float:
        """The share of samples that lie on the plate."""
        return float((np.abs(self.places) <= 0.5 + _BEYOND_EDGE).all(axis=1).mean())

    @property
    def is_inside(self) -> bool:
        """Whether all samples but noise lie on the plate."""
        return self.share_inside >= _ALL_BUT_NOISE

    @property
    def still_axes(self) -> int:
        """Along how many edges the moments move the centre of pressure by less than any foot does."""
        return int((np.percentile(np.abs(self.arms_m), 100 * _ALL_BUT_NOISE, axis=0) < _STILL_M).sum())


def judged_plate(setup: PlateSetup, channels: np.ndarray) -> tuple[ForcePlate, list[str]]:
    """The plate as stated or, where that can't be, as the only reading that can; and warnings.

    setup and channels (S, K) as `measured_plate` takes them. NaN samples are judged by nobody. Raises ValueError where
    no reading is certain, or the corners don't span a surface.
    """
    plate = measured_plate(setup, channels)
    _refuse_pulling(plate)
    stated = _pressure(setup, channels)
    if stated is None:
        return plate, []
    if stated.is_inside:
        _refuse_still(setup, stated)
        return _with_possible_free_moment(setup, channels, plate, stated)
    possible = [
        (reading, changed, values)
        for reading, changed, values in (_other_readings(setup, channels) if stated.share_inside < 0.5 else ())
        if (pressure := _pressure(changed, values)) is not None and pressure.is_inside and not pressure.still_axes
    ]
    if len(possible) == 1:
        reading, changed, values = possible[0]
        return measured_plate(changed, values), [f"force plate {setup.number}: {reading}"]
    if stated.share_inside < 0.5:
        far_m = np.abs(np.median(stated.places, axis=0)).max()
        raise ValueError(
            f"its centre of pressure lies outside it in {100 * (1 - stated.share_inside):.0f} % of the loaded samples "
            f"(typically {far_m:.3g} plate lengths from its centre). Correct its units, ORIGIN or CORNERS."
        )
    return plate, [
        f"force plate {setup.number}: its centre of pressure lies outside it in "
        f"{100 * (1 - stated.share_inside):.0f} % of the loaded samples. Check its CORNERS and ORIGIN."
    ]


def _refuse_pulling(plate: ForcePlate) -> None:
    load_n = plate.force_n @ plate.normal
    pulls, pushes = load_n < -_PULLED_N, load_n > _PULLED_N
    if pulls.mean() > _PULLING_SHARE and pulls.sum() > 10 * pushes.sum():
        raise ValueError(
            f"it pulls down by up to {-np.nanmin(load_n):.0f} N, expected it to push up. Its channels hold the force "
            "on the plate instead of the one on the body, or it was set to zero under a load. Export the reaction, or "
            "correct the sign of ANALOG:SCALE."
        )


def _refuse_still(setup: PlateSetup, stated: _Pressure) -> None:
    if not stated.still_axes:
        return
    what, _, _ = _rescaled(setup, np.empty((0, CHANNELS_OF_TYPE[setup.type])), 1.0)
    raise ValueError(
        f"its {what} move the centre of pressure by less than {_STILL_M * 1e3:g} mm while it is loaded, which no foot "
        "does. They are zero, or a thousandth of what they should be (N·m under the unit N·mm, say). Correct the unit, "
        "or export them."
    )


def _with_possible_free_moment(
    setup: PlateSetup, channels: np.ndarray, plate: ForcePlate, stated: _Pressure
) -> tuple[ForcePlate, list[str]]:
    if stated.free_lever_m > LARGEST_FREE_MOMENT_M:
        raise ValueError(
            f"its free moment is {stated.free_lever_m:.3g} m times its force, expected less than "
            f"{LARGEST_FREE_MOMENT_M:g} m: it is friction under one foot. Correct the unit of its channel Mz."
        )
    return plate, _doubtful_origin(setup, channels)


def _doubtful_origin(setup: PlateSetup, channels: np.ndarray) -> list[str]:
    """A warning where ORIGIN without a depth could point either way, and it matters."""
    sideways_m = float(np.linalg.norm(setup.origin_m[:2]))
    if setup.type not in (2, 4) or setup.origin_m[2] != 0 or sideways_m < _NOTABLE_ORIGIN_M:
        return []
    other = _pressure(_opposite_origin(setup), channels)
    if other is None or not other.is_inside:
        return []
    return [
        f"force plate {setup.number}: ORIGIN has no depth and lies {sideways_m * 1e3:.0f} mm from the centre, so "
        "that nothing tells which way it points; taken as the format says, from the transducers to the surface."
    ]


def _other_readings(setup: PlateSetup, channels: np.ndarray) -> Iterator[tuple[str, PlateSetup, np.ndarray]]:
    """What else the file may mean: in words, and as `measured_plate` takes it."""
    if setup.type in (2, 4) and setup.origin_m[2] == 0 and setup.origin_m.any():
        yield (
            "ORIGIN is taken as the vector from the surface to the transducers, against the format: only so the centre "
            "of pressure lies on the plate.",
            _opposite_origin(setup),
            channels,
        )
    for factor, said in ((1 / _UNIT_FACTOR, "a thousandth"), (_UNIT_FACTOR, "a thousand times")):
        what, changed, values = _rescaled(setup, channels, factor)
        yield (
            f"{what} are taken as {said} of what is stated: only so the centre of pressure lies on the plate.",
            changed,
            values,
        )


def _rescaled(setup: PlateSetup, channels: np.ndarray, factor: float) -> tuple[str, PlateSetup, np.ndarray]:
    """What decides the centre of pressure, in other units."""
    if setup.type == 4:
        assert setup.calibration is not None
        rows = np.array([1.0, 1.0, 1.0, factor, factor, factor])[:, None]
        return "moments (CAL_MATRIX)", replace(setup, calibration=setup.calibration * rows), channels
    if setup.type == 3:
        return "distances (ORIGIN)", replace(setup, origin_m=setup.origin_m * factor), channels
    what, columns = ("points of force", slice(3, 5)) if setup.type == 1 else ("moments", slice(3, 6))
    values = channels.copy()
    values[:, columns] *= factor
    return f"{what} (ANALOG:UNITS)", setup, values


def _opposite_origin(setup: PlateSetup) -> PlateSetup:
    return replace(setup, origin_m=-setup.origin_m)


def _pressure(setup: PlateSetup, channels: np.ndarray) -> _Pressure | None:
    """Where the plate is pushed; None where it carries too little to tell."""
    plate = measured_plate(setup, channels)
    load_n = plate.force_n @ plate.normal
    known = np.isfinite(plate.moment_nm).all(axis=1) & np.isfinite(load_n)
    if not known.any():
        return None
    loaded = np.flatnonzero(known & (load_n > max(LOADED_N, LOADED_SHARE * load_n[known].max())))
    if len(loaded) < _FEWEST_SAMPLES:
        return None
    loaded = loaded[:: max(1, len(loaded) // _MOST_SAMPLES)]
    part = replace(plate, force_n=plate.force_n[loaded], moment_nm=plate.moment_nm[loaded])
    cop_m, free_nm = centre_of_pressure(part)
    without_moments_m, _ = centre_of_pressure(replace(part, moment_nm=np.zeros_like(part.moment_nm)))
    edges_m = np.stack([plate.corners_m[0] - plate.corners_m[1], plate.corners_m[1] - plate.corners_m[2]])
    lengths_m = np.linalg.norm(edges_m, axis=1)
    along = (edges_m / lengths_m[:, None]).T
    return _Pressure(
        places=(cop_m - plate.surface_m) @ along / lengths_m,
        arms_m=(cop_m - without_moments_m) @ along,
        free_lever_m=float(np.median(np.abs(free_nm / load_n[loaded]))),
    )
