"""The data section of a C3D file: which frames it holds, points with gaps as NaN, calibrated analog channels.

Shapes: T frames, P points, S analog samples, C analog channels.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.c3d.header import BLOCK_BYTES, Header, check_size, floats, rejected
from pipeline.c3d.parameters import Parameters

_SATURATED = 0xFFFF
# No converter counts so far, and no plate is pushed so hard in any unit.
_LARGEST_SAMPLE = 1e12
# Header and POINT:RATE are both 4-byte floats and may be rounded differently (119.88 against 119.88012).
_RATE_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """points (T, P, 3) in POINT:UNITS, NaN where a point was not seen; analog (S, C) calibrated.

    `calibrated` (C,) says for which channels the file states a scale. A sample that is stored as NaN or infinite is
    NaN. `first_frame` counts from 1.
    """

    first_frame: int
    point_rate_hz: float
    analog_samples_per_frame: int
    points: np.ndarray
    analog: np.ndarray
    calibrated: np.ndarray
    warnings: tuple[str, ...]


def read_frames(data: bytes, header: Header, parameters: Parameters, name: str) -> Frames:
    """Decode every frame of the file `name`.

    Raises TrialRejected if the file is truncated, or if header and parameters contradict each other about the
    number of frames, points, channels or the rates, so that no reading of the bytes can be trusted.
    """
    rate_hz = _point_rate(header, parameters, name)
    header, header_warnings = _with_values_counted(data, header, parameters)
    channels = _channel_count(header, parameters, name)
    first_frame, first_warnings = _first_frame(header, parameters)
    count, count_warnings = _frame_count(data, header, parameters, name)
    check_size(data, header, count, name)
    # Stored bits may be no number, or overflow in the file's own format: they become NaN, or are told.
    with np.errstate(invalid="ignore", over="ignore"):
        raw = _raw_frames(data, header, count)
        points = _points(raw[:, : 4 * header.point_count], header, _scale(header, parameters, name))
        raw_analog = raw[:, 4 * header.point_count :].reshape(-1, channels) if channels else np.empty((count, 0))
        analog, calibrated, analog_warnings = _calibrate(raw_analog, header, parameters)
    return Frames(
        first_frame=first_frame,
        point_rate_hz=rate_hz,
        analog_samples_per_frame=header.analog_samples_per_frame if channels else 1,
        points=points,
        analog=analog,
        calibrated=calibrated,
        warnings=(*header_warnings, *first_warnings, *count_warnings, *analog_warnings),
    )


def _point_rate(header: Header, parameters: Parameters, name: str) -> float:
    stated = parameters.number("POINT:RATE")
    if stated is None:
        return header.rate_hz
    if abs(stated - header.rate_hz) > _RATE_TOLERANCE * header.rate_hz:
        raise rejected(
            name,
            f"its header states {header.rate_hz:g} Hz and POINT:RATE {stated:g} Hz. "
            "Correct the one that is wrong, or export the trial again.",
        )
    return stated


def _with_values_counted(data: bytes, header: Header, parameters: Parameters) -> tuple[Header, list[str]]:
    """The header, where it counts analog channels, with analog values a frame; and a warning.

    Some writers put the number of channels where the format has channels × samples. The file's size tells.
    """
    channels, samples = parameters.count("ANALOG:USED"), header.analog_samples_per_frame
    if channels is None or samples < 2 or channels != header.analog_values_per_frame:
        return header, []
    counted = replace(header, analog_values_per_frame=channels * samples)
    if not any(_fits(data, counted, n) for n in _stated_counts(header, parameters).values()):
        return header, []
    return counted, [
        f"the header counts {channels} analog values a frame, which are its channels: with {samples} samples a frame "
        f"they are {channels * samples}, as the file's size says."
    ]


def _channel_count(header: Header, parameters: Parameters, name: str) -> int:
    points = parameters.count("POINT:USED")
    if points is not None and points != header.point_count:
        raise rejected(
            name,
            f"its header states {header.point_count} points a frame and POINT:USED {points}. Export the trial again.",
        )
    if header.analog_values_per_frame == 0:
        return 0
    channels, left = divmod(header.analog_values_per_frame, max(1, header.analog_samples_per_frame))
    used = parameters.count("ANALOG:USED")
    if left or (used is not None and used != channels):
        raise rejected(
            name,
            f"its header states {header.analog_values_per_frame} analog values a frame in "
            f"{header.analog_samples_per_frame} samples, and ANALOG:USED {used} channels. "
            "Export the trial again.",
        )
    _check_analog_rate(header, parameters, name)
    return channels


def _check_analog_rate(header: Header, parameters: Parameters, name: str) -> None:
    stated = parameters.number("ANALOG:RATE")
    expected = header.rate_hz * header.analog_samples_per_frame
    if stated is not None and abs(stated - expected) > _RATE_TOLERANCE * expected:
        raise rejected(
            name,
            f"ANALOG:RATE is {stated:g} Hz, and {header.analog_samples_per_frame} samples a frame at "
            f"{header.rate_hz:g} frames a second make {expected:g} Hz. Export the trial again.",
        )


def _scale(header: Header, parameters: Parameters, name: str) -> float:
    stated = parameters.number("POINT:SCALE")
    if header.stores_floats or stated is None:
        return abs(header.scale)
    if abs(stated - header.scale) > 1e-6 * abs(header.scale):
        raise rejected(
            name,
            f"its header states a point scale of {header.scale:g} and POINT:SCALE {stated:g}: its integer "
            "coordinates can't be converted. Export the trial again.",
        )
    return stated


def _long_field(parameters: Parameters, key: str) -> int | None:
    # A 32-bit number in two 16-bit words, the low one first; a few writers use one float.
    words = parameters.numbers(key).ravel()
    if words.size == 0 or not np.isfinite(words).all():
        return None
    if words.size == 1:
        return round(float(words[0]))
    low, high = (round(float(word)) % 0x10000 for word in words[:2])
    return low + 0x10000 * high


def _first_frame(header: Header, parameters: Parameters) -> tuple[int, list[str]]:
    stated = _long_field(parameters, "TRIAL:ACTUAL_START_FIELD")
    first = stated if stated is not None and header.first_frame == _SATURATED else header.first_frame
    warnings = []
    if stated is not None and stated != first:
        warnings.append(f"its header begins at frame {first} and TRIAL:ACTUAL_START_FIELD at {stated}: took {first}.")
    if first < 1:
        warnings.append(f"its header begins at frame {first}; the format counts from 1: took 1.")
    return max(1, first), warnings


def _frame_count(data: bytes, header: Header, parameters: Parameters, name: str) -> tuple[int, list[str]]:
    """The number of frames, and a warning if the file's several statements of it disagree.

    16-bit statements wrap or saturate in long recordings; where statements disagree otherwise, the size of
    the file decides, and if it confirms none of them the file is refused.
    """
    stated = _stated_counts(header, parameters)
    longest = max(stated.values(), default=0)
    if longest < 1:
        raise rejected(name, "it states that it holds no frames. Record or export the trial again.")
    counts = {n for n in stated.values() if longest <= _SATURATED or n not in (_SATURATED, longest % 0x10000)}
    listing = ", ".join(f"{source} {n}" for source, n in stated.items())
    if longest == _SATURATED and not _fits(data, header, longest):
        return _counted_by_size(data, header, listing, name)
    if len(counts) == 1:
        return longest, []
    available = len(data) - header.data_start
    confirmed = [n for n in counts if _fits(data, header, n)]
    if len(confirmed) != 1:
        raise rejected(
            name,
            f"its statements of the number of frames disagree ({listing}), and its size fits none of them: "
            f"{available} bytes of data at {header.frame_bytes} a frame. "
            "It was cut off or damaged: copy it again.",
        )
    return confirmed[0], [f"statements of the number of frames disagree ({listing}): its size fits {confirmed[0]}."]


def _fits(data: bytes, header: Header, count: int) -> bool:
    """Whether so many frames, and the padding of the last block, fill the file."""
    return count > 0 and 0 <= len(data) - header.data_start - count * header.frame_bytes < BLOCK_BYTES


def _counted_by_size(data: bytes, header: Header, listing: str, name: str) -> tuple[int, list[str]]:
    """The number of frames where statements are as large as they can be, and the file holds another number."""
    available = len(data) - header.data_start
    count = available // header.frame_bytes
    if header.frame_bytes < BLOCK_BYTES or not _fits(data, header, count) or count < _SATURATED:
        raise rejected(
            name,
            f"its statements of the number of frames end at {_SATURATED} ({listing}), and {available} bytes of data at "
            f"{header.frame_bytes} a frame don't tell the number. Export the trial again in shorter parts.",
        )
    return count, [f"statements of the number of frames end at {_SATURATED} ({listing}): its size tells {count}."]


def _stated_counts(header: Header, parameters: Parameters) -> dict[str, int]:
    stated = {}
    start = _long_field(parameters, "TRIAL:ACTUAL_START_FIELD")
    end = _long_field(parameters, "TRIAL:ACTUAL_END_FIELD")
    if start is not None and end is not None:
        stated["TRIAL:ACTUAL_END_FIELD"] = end - start + 1
    for key in ("POINT:LONG_FRAMES", "POINT:FRAMES"):
        count = parameters.count(key)
        if count is not None:
            stated[key] = count
    if header.last_frame != _SATURATED or not stated:
        stated["header"] = header.frame_count
    return stated


def _raw_frames(data: bytes, header: Header, count: int) -> np.ndarray:
    """The frames' numbers as stored, (T, 4 P + analog values)."""
    section = data[header.data_start : header.data_start + count * header.frame_bytes]
    if header.stores_floats:
        return floats(section, header.byte_order).reshape(count, -1)
    return np.frombuffer(section, ">i2" if header.byte_order == "mips" else "<i2").reshape(count, -1)


def _points(raw: np.ndarray, header: Header, scale: float) -> np.ndarray:
    stored = raw.reshape(len(raw), header.point_count, 4)
    points = stored[..., :3].astype(float)
    if not header.stores_floats:
        points *= scale
    # The fourth number holds cameras and residual; negative (or unreadable) means "not seen".
    seen = (stored[..., 3] >= 0) & np.isfinite(points).all(axis=-1)
    points[~seen] = np.nan
    return points


def _calibrate(raw: np.ndarray, header: Header, parameters: Parameters) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """(stored - offset) * scale * general scale, (S, C); which channels have a scale, (C,); warnings."""
    channels = raw.shape[1]
    if channels == 0:
        return raw, np.empty(0, dtype=bool), []
    unsigned = parameters.text("ANALOG:FORMAT").upper() == "UNSIGNED"
    samples = raw.astype(float)
    if unsigned and not header.stores_floats:
        samples %= 0x10000
    samples, warnings = _finite_samples(samples)
    scale, scaled = _per_channel(parameters, "ANALOG:SCALE", channels)
    offset, offset_known = _per_channel(parameters, "ANALOG:OFFSET", channels)
    if unsigned:
        offset = _unsigned_offset(offset, samples) if header.stores_floats else offset % 0x10000
    general = parameters.number("ANALOG:GEN_SCALE")
    calibrated = scaled & (scale != 0) if general else np.zeros(channels, dtype=bool)
    if not offset_known.all():
        warnings.append(
            f"ANALOG:OFFSET is missing or malformed: {int(offset_known.sum())} usable numbers for "
            f"{channels} channels; took 0 for the rest."
        )
    if not calibrated.all():
        warnings.append(
            f"ANALOG:SCALE or GEN_SCALE is missing, zero or infinite for {int((~calibrated).sum())} of {channels} "
            "channels: they are left as stored, without a unit."
        )
    factor = np.where(calibrated, scale * (general or 1.0), 1.0)
    return (samples - offset) * factor, calibrated, warnings


def _finite_samples(samples: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The samples, NaN where no number is stored that was ever measured; and a warning."""
    unknown = ~(np.abs(samples) < _LARGEST_SAMPLE)
    if not unknown.any():
        return samples, []
    channels = np.flatnonzero(unknown.any(axis=0)) + 1
    listed = ", ".join(str(channel) for channel in channels[:8]) + (" and others" if len(channels) > 8 else "")
    return np.where(unknown, np.nan, samples), [
        f"{int(unknown.sum())} analog samples are not a number, infinite or absurdly large (channels {listed}): they "
        "are unknown."
    ]


def _unsigned_offset(offset: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Offsets (C,) in a file of floats whose format is UNSIGNED: a parameter stores 32768 as -32768.

    Such a file may also hold the format's name without its numbers, so an offset is the reading of the two that is
    nearer to what the channel shows (S, C).
    """
    wrapped = offset % 0x10000
    middle = np.where(np.isfinite(samples), samples, 0.0).mean(axis=0)
    return np.where(np.abs(middle - wrapped) <= np.abs(middle - offset), wrapped, offset)


def _per_channel(parameters: Parameters, key: str, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `channels` numbers of `key`, zero where absent or not finite; and which were there."""
    stated = parameters.numbers(key).ravel()[:channels]
    known = np.zeros(channels, dtype=bool)
    known[: stated.size] = np.isfinite(stated)
    values = np.zeros(channels)
    values[known] = stated[known[: stated.size]]
    return values, known
