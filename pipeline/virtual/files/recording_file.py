"""A capture as a laboratory's software exports it: one C3D file with calibration, plates, events and subject."""

import numpy as np

from pipeline.virtual.files.c3d_file import C3DFile, Groups, StoredValue, float32s, int16s
from pipeline.virtual.instruments.capture import Capture
from pipeline.virtual.instruments.plate_blemishes import PLATE_CHANNELS
from pipeline.virtual.laboratory import PLATES
from pipeline.virtual.records import ANALOG_RATE_HZ, MARKER_RATE_HZ, VirtualSubject
from pipeline.virtual.request import NOTE

MM_PER_M = 1e3

# A 16-bit converter over ±10 V: volts of one count.
GEN_SCALE = 20.0 / 65536
# Units per volt, by channel: full scales of ±2.5 kN across, ±5 kN down, and ±1.5 and ±0.6 kN·m in N·mm.
UNITS_PER_VOLT = np.array([250.0, 250.0, 500.0, 150e3, 150e3, 60e3])
CHANNEL_UNITS = ("N", "N", "N", "Nmm", "Nmm", "Nmm")
# Stored numbers are in N·mm where ours are in N·m.
STORED_UNITS = np.array([1.0, 1.0, 1.0, 1e3, 1e3, 1e3])


def c3d_file(capture: Capture, subject: VirtualSubject, cohort: str) -> C3DFile:
    """The file of one recording, in millimetres, z up."""
    scale, offset = _calibration()
    values = (capture.plates * STORED_UNITS).reshape(len(capture.plates), -1)
    # Readers compute (stored - OFFSET) × SCALE × GEN_SCALE, with both scales as 4-byte floats.
    counts = values / (scale.astype(float) * float(float32s(GEN_SCALE)[0])) + offset
    return C3DFile(
        points=_points(capture.markers_m),
        analog=counts,
        rate_hz=MARKER_RATE_HZ,
        parameters={
            "POINT": {"LABELS": list(capture.performance.marker_names), "UNITS": "mm"},
            "ANALOG": _analog_group(scale, offset),
            "FORCE_PLATFORM": _plate_group(capture.unloaded),
            **_event_groups(capture, subject),
            **_subject_groups(subject, cohort),
            "TRIAL": {
                "ACTUAL_START_FIELD": int16s(1, 0),
                "ACTUAL_END_FIELD": int16s(len(capture.markers_m), 0),
                "CAMERA_RATE": float32s(MARKER_RATE_HZ),
            },
            "MANUFACTURER": {"COMPANY": "gait2hip", "SOFTWARE": "gait2hip virtual laboratory", "NOTE": NOTE},
        },
    )


def _points(markers_m: np.ndarray) -> np.ndarray:
    """x, y, z in millimetres, and 0 where seen, -1 with zeros where not, (T, M, 4)."""
    seen = np.isfinite(markers_m).all(axis=2)
    points = np.zeros((*markers_m.shape[:2], 4))
    points[..., :3][seen] = markers_m[seen] * MM_PER_M
    points[..., 3] = np.where(seen, 0.0, -1.0)
    return points


def _calibration() -> tuple[np.ndarray, np.ndarray]:
    """SCALE and OFFSET of every channel, plate after plate, as stored."""
    scale = np.concatenate([UNITS_PER_VOLT / plate.gain for plate in PLATES]).astype("<f4")
    # Zeros differ between amplifiers. None is negative, since ezc3d 1.7 loses an offset's sign.
    offset = (np.arange(len(scale)) * 7 % 25).astype("<i2")
    return scale, offset


def _analog_group(scale: np.ndarray, offset: np.ndarray) -> dict[str, StoredValue | None]:
    names = [f"{channel}{plate.number}" for plate in PLATES for channel in PLATE_CHANNELS]
    return {
        "LABELS": list(names),
        "DESCRIPTIONS": [f"Force plate {plate.number}, {channel}" for plate in PLATES for channel in PLATE_CHANNELS],
        "UNITS": list(CHANNEL_UNITS * len(PLATES)),
        "SCALE": scale,
        "OFFSET": offset,
        "GEN_SCALE": float32s(GEN_SCALE),
        "RATE": float32s(ANALOG_RATE_HZ),
        "BITS": int16s(16),
        "FORMAT": "SIGNED",
    }


def _plate_group(unloaded: tuple[int, int] | None) -> dict[str, StoredValue | None]:
    count = len(PLATES)
    return {
        "USED": int16s(count),
        "TYPE": int16s(*[2] * count),
        # First and last frame without a load; 0 0 means that the channels need no correction.
        "ZERO": int16s(*(unloaded or (0, 0))),
        "CORNERS": np.stack([plate.corners_m.T * MM_PER_M for plate in PLATES], axis=2).astype("<f4"),
        "ORIGIN": np.stack([plate.stored_origin_m * MM_PER_M for plate in PLATES], axis=1).astype("<f4"),
        "CHANNEL": (np.arange(6)[:, None] + 6 * np.arange(count) + 1).astype("<i2"),
    }


def _event_groups(capture: Capture, subject: VirtualSubject) -> Groups:
    """Strikes and offs within the recording, in order of time, as minutes and seconds; no group without any."""
    end_s = (len(capture.markers_m) - 1) / MARKER_RATE_HZ
    happened = sorted(
        (time_s, contact.side.capitalize(), label)
        for contact in capture.performance.contacts
        for time_s, label in ((contact.strike_s, "Foot Strike"), (contact.off_s, "Foot Off"))
        if 0 < time_s < end_s
    )
    if not happened:
        return {}
    times = np.array([divmod(time_s, 60.0) for time_s, _, _ in happened]).T.astype("<f4")
    return {
        "EVENT": {
            "USED": int16s(len(happened)),
            "CONTEXTS": [context for _, context, _ in happened],
            "LABELS": [label for _, _, label in happened],
            "SUBJECTS": [subject.subject_id] * len(happened),
            "TIMES": np.asfortranarray(times),
        }
    }


def _subject_groups(subject: VirtualSubject, cohort: str) -> Groups:
    return {
        "SUBJECTS": {"USED": int16s(1), "NAMES": [subject.subject_id], "COHORT": cohort, "NOTE": NOTE},
        "SUBJECT": {
            "USED": int16s(3),
            "LABELS": ["age", "weight", "height"],
            "UNITS": ["years", "kg", "m"],
            "VALUES": float32s(subject.age_y, subject.mass_kg, subject.height_m),
            "SEX": subject.sex,
        },
    }
