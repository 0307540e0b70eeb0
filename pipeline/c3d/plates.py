"""The FORCE_PLATFORM group: which analog channels are whose, their units and baseline.

A plate that can't be read for certain is left out with a warning that names it: the recording's kinematics
are as good without it, and whoever needs its force finds the reason.
"""

from collections.abc import Mapping

import numpy as np

from pipeline.c3d.force_plates import CHANNELS_OF_TYPE, PlateSetup, measured_plate
from pipeline.c3d.frames import Frames
from pipeline.c3d.metadata import LENGTH_M
from pipeline.c3d.parameters import Parameters
from pipeline.c3d.plate_physics import judged_plate
from pipeline.records import ForcePlate

# Above this the baseline is worth telling: an offset of the amplifier, or somebody who stood on the plate.
_NOTABLE_BASELINE_N = 20.0
# No plate is so long, and none has its transducers so far away.
_LARGEST_PLATE_M = 10.0

_FORCE_N = {"n": 1.0, "nt": 1.0, "newton": 1.0, "newtons": 1.0, "kn": 1e3}
_MOMENT_NM = {
    **dict.fromkeys(("nmm", "ntmm", "mmn"), 1e-3),
    **dict.fromkeys(("ncm", "ntcm"), 1e-2),
    **dict.fromkeys(("nm", "ntm", "newtonmeter", "newtonmeters", "newtonmetre", "newtonmetres"), 1.0),
}
# What each channel of a type measures; a type 4 plate's channels get their unit from the calibration matrix.
_UNITS_OF_TYPE = {
    1: (_FORCE_N,) * 3 + (LENGTH_M,) * 2 + (_MOMENT_NM,),
    2: (_FORCE_N,) * 3 + (_MOMENT_NM,) * 3,
    3: (_FORCE_N,) * 8,
}


class _UnusablePlateError(Exception):
    """Why one plate is left out."""


def read_plates(
    parameters: Parameters, frames: Frames, analog_units: tuple[str, ...], metres: float
) -> tuple[tuple[ForcePlate, ...], list[str]]:
    """Every plate of the recording that can be read for certain, numbered as in the file, and warnings.

    `metres` is one POINT:UNITS in metres; corners and origins are stored in that unit.
    """
    plates: list[ForcePlate] = []
    warnings: list[str] = []
    taken: dict[int, int] = {}
    baseline, baseline_warnings = _baseline_samples(parameters, frames)
    used = parameters.count("FORCE_PLATFORM:USED") or 0
    types = parameters.numbers("FORCE_PLATFORM:TYPE").ravel()
    if used == 0:
        warnings += _nobodys_moments(analog_units)
    if used > len(types):
        warnings.append(f"FORCE_PLATFORM:USED states {used} plates, and TYPE holds {len(types)}.")
    for index in range(min(used, len(types))):
        try:
            setup, setup_warnings = _setup(parameters, index, types[index], metres)
            columns = _columns(parameters, index, setup.type, frames, taken)
            channels = frames.analog[:, columns] * _factors(columns, setup.type, analog_units)
            offset = _offset(channels, baseline)
            plate, judged_warnings = judged_plate(setup, channels - offset)
        except (_UnusablePlateError, ValueError) as error:
            warnings.append(f"force plate {index + 1} is left out: {error}")
        else:
            plates.append(plate)
            taken.update(dict.fromkeys(columns.tolist(), index + 1))
            warnings += [*setup_warnings, *judged_warnings, *_baseline_warning(setup, offset)]
    return tuple(plates), (warnings + baseline_warnings if plates else warnings)


def _nobodys_moments(analog_units: tuple[str, ...]) -> list[str]:
    """A warning for channels that measure moments where no plate is stated to have them."""
    measuring = sum(_letters(unit) in _MOMENT_NM for unit in analog_units)
    if not measuring:
        return []
    return [
        f"{measuring} analog channels measure moments, and FORCE_PLATFORM states no force plate: if one was trodden "
        "on, its group is lost. Export the trial again."
    ]


def _setup(parameters: Parameters, index: int, stated_type: float, metres: float) -> tuple[PlateSetup, list[str]]:
    if stated_type not in CHANNELS_OF_TYPE:
        raise _UnusablePlateError(f"its type is {stated_type:g}, and only types {sorted(CHANNELS_OF_TYPE)} are read.")
    if not np.isfinite(metres):
        raise _UnusablePlateError("POINT:UNITS is missing, the unit of its corners.")
    corners_m, corner_warnings = _of_size("CORNERS", index, _of_plate(parameters, "CORNERS", index, (3, 4)).T * metres)
    # A type 1 plate gives the centre of pressure on its surface and needs no origin.
    origin = np.zeros(3) if stated_type == 1 else _of_plate(parameters, "ORIGIN", index, (3,))
    origin_m, origin_warnings = _of_size("ORIGIN", index, np.stack([origin * metres, np.zeros(3)]))
    setup = PlateSetup(
        number=index + 1,
        type=int(stated_type),
        corners_m=corners_m,
        origin_m=origin_m[0],
        calibration=_calibration(parameters, index, metres) if stated_type == 4 else None,
    )
    return setup, [*corner_warnings, *origin_warnings, *_uncorrected(parameters, setup)]


def _of_size(what: str, index: int, points_m: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Points (N, 3) of one plate, where they lie too far apart for any plate by a thousandth; and a warning."""
    size_m = float(np.linalg.norm(np.ptp(points_m, axis=0)))
    if size_m <= _LARGEST_PLATE_M:
        return points_m, []
    if size_m > _LARGEST_PLATE_M / LENGTH_M["mm"]:
        raise _UnusablePlateError(f"FORCE_PLATFORM:{what} spans {size_m:.3g} m in POINT:UNITS. Correct it.")
    return points_m * LENGTH_M["mm"], [
        f"force plate {index + 1}: FORCE_PLATFORM:{what} spans {size_m:.3g} m in POINT:UNITS, and no plate does: taken "
        "as a thousandth of it."
    ]


def _uncorrected(parameters: Parameters, setup: PlateSetup) -> list[str]:
    if setup.type != 3 or not parameters.numbers("FORCE_PLATFORM:FPCOPPOLY").any():
        return []
    return [
        f"force plate {setup.number}: FORCE_PLATFORM:FPCOPPOLY asks for a correction of the centre of pressure, which "
        "is not made: near the edges it is some millimetres off."
    ]


def _of_plate(parameters: Parameters, name: str, index: int, shape: tuple[int, ...]) -> np.ndarray:
    """The part of a per-plate parameter that belongs to plate `index`, whatever the other dimensions are."""
    key = f"FORCE_PLATFORM:{name}"
    flat = parameters.numbers(key).ravel(order="F")
    size = int(np.prod(shape))
    part = flat[index * size : (index + 1) * size]
    if part.size < size or not np.isfinite(part).all():
        raise _UnusablePlateError(f"{key} lacks its {size} numbers.")
    return part.reshape(shape, order="F")


def _calibration(parameters: Parameters, index: int, metres: float) -> np.ndarray:
    matrix = _of_plate(parameters, "CAL_MATRIX", index, (6, 6))
    order = parameters.text("FORCE_PLATFORM:MATRIX_STORE").upper()
    if order not in ("", "BYCOLUMN", "BYROW"):
        raise _UnusablePlateError(f"FORCE_PLATFORM:MATRIX_STORE is {order!r}, expected BYCOLUMN or BYROW.")
    if not matrix.any():
        raise _UnusablePlateError("FORCE_PLATFORM:CAL_MATRIX is all zeros.")
    # The guide defines its output as N and N × POINT:UNITS. That the file's column order is the matrix's own
    # is seen in c3d.org's sample_10, which holds one walk as type 2 and as type 4.
    return (matrix.T if order == "BYROW" else matrix) * np.array([1.0, 1.0, 1.0, metres, metres, metres])[:, None]


def _columns(
    parameters: Parameters, index: int, plate_type: int, frames: Frames, taken: Mapping[int, int]
) -> np.ndarray:
    """The columns of the plate's channels, in order. `taken`: columns of earlier plates, and those plates' numbers."""
    numbers = parameters.numbers("FORCE_PLATFORM:CHANNEL")
    rows = numbers.shape[0] if numbers.ndim > 1 else CHANNELS_OF_TYPE[plate_type]
    wanted = CHANNELS_OF_TYPE[plate_type]
    if rows < wanted:
        raise _UnusablePlateError(f"FORCE_PLATFORM:CHANNEL lists {rows} channels, and its type needs {wanted}.")
    columns = _of_plate(parameters, "CHANNEL", index, (rows,))[:wanted].astype(int) - 1
    if columns.min() < 0 or columns.max() >= frames.analog.shape[1]:
        raise _UnusablePlateError(
            f"it uses the channels {(columns + 1).tolist()}, and the file has {frames.analog.shape[1]}."
        )
    if len(set(columns.tolist())) < wanted:
        raise _UnusablePlateError(f"it uses the channels {(columns + 1).tolist()}, one of them twice.")
    shared = sorted(taken.keys() & set(columns.tolist()))
    if shared:
        raise _UnusablePlateError(
            f"it uses the channel {shared[0] + 1}, which is force plate {taken[shared[0]]}'s: one force can't act on "
            "two plates. Correct FORCE_PLATFORM:CHANNEL, or USED."
        )
    if not frames.calibrated[columns].all():
        raise _UnusablePlateError("ANALOG:SCALE or GEN_SCALE is missing, zero or infinite for its channels.")
    return columns


def _factors(columns: np.ndarray, plate_type: int, analog_units: tuple[str, ...]) -> np.ndarray:
    """What turns the channels into N, N·m and m; ones for type 4, whose calibration matrix does."""
    if plate_type == 4:
        return np.ones(len(columns))
    factors = []
    for column, known in zip(columns, _UNITS_OF_TYPE[plate_type], strict=True):
        unit = _letters(analog_units[column])
        if unit not in known:
            raise _UnusablePlateError(
                f"its channel {column + 1} has the unit {analog_units[column]!r}, "
                f"expected one of {sorted(known)}. "
                "Export the trial with forces in N and moments in Nmm, or correct ANALOG:UNITS."
            )
        factors.append(known[unit])
    return np.array(factors)


def _baseline_samples(parameters: Parameters, frames: Frames) -> tuple[slice | None, list[str]]:
    """The analog samples whose mean is to be subtracted, by FORCE_PLATFORM:ZERO; None for no correction.

    ZERO holds the first and last frame of the unloaded plate; 0 as the first means 1, and an empty range (0
    0, 1 0) means that the forces are as they should be (C3D User Guide, "FORCE_PLATFORM:ZERO").
    """
    zero = parameters.numbers("FORCE_PLATFORM:ZERO").ravel()
    if zero.size < 2 or not np.isfinite(zero[:2]).all() or zero[1] < max(1, zero[0]):
        return None, []
    first, last = max(1, round(float(zero[0]))), round(float(zero[1]))
    final = frames.first_frame + len(frames.points) - 1
    if first < frames.first_frame or last > final:
        return None, [
            f"FORCE_PLATFORM:ZERO names the frames {first} to {last} as unloaded, and the file holds "
            f"{frames.first_frame} to {final}: no baseline was subtracted."
        ]
    samples = frames.analog_samples_per_frame
    return slice((first - frames.first_frame) * samples, (last - frames.first_frame + 1) * samples), []


def _letters(unit: str) -> str:
    return "".join(character for character in unit.lower() if character.isalpha())


def _offset(channels: np.ndarray, baseline: slice | None) -> np.ndarray:
    """The mean of each channel (S, K) over the baseline's known samples, (K,)."""
    if baseline is None:
        return np.zeros(channels.shape[1])
    unloaded = channels[baseline]
    if np.isnan(unloaded).all(axis=0).any():
        raise _UnusablePlateError("no sample is known in the frames that FORCE_PLATFORM:ZERO names as unloaded.")
    offset: np.ndarray = np.nanmean(unloaded, axis=0)
    return offset


def _baseline_warning(setup: PlateSetup, offset: np.ndarray) -> list[str]:
    force_n = measured_plate(setup, offset[None, :]).force_n[0]
    size_n = float(np.linalg.norm(force_n))
    if size_n <= _NOTABLE_BASELINE_N:
        return []
    return [
        f"force plate {setup.number}: a baseline of {size_n:.0f} N was subtracted, "
        "as FORCE_PLATFORM:ZERO says. Check that nobody stood on the plate then."
    ]
