"""Text files of other programs: their characters, and the even steps of their time."""

from pathlib import Path

import numpy as np

from pipeline.c3d.recorded_bytes import recorded_bytes
from pipeline.errors import TrialRejected

# The step of the chain that a file is refused by.
STAGE = "read_recording"
# A time is printed with few digits; further from its place than this share of a step, rows are missing.
MAX_OFF_STEP = 0.4


def unreadable(name: str, what: str) -> TrialRejected:
    """The rejection of a file: what was found in it, what was expected, what to do."""
    return TrialRejected(STAGE, f"{name}: {what}")


def read_text(path: Path) -> tuple[str, list[str]]:
    """A file's text, in UTF-8 or UTF-16, else as Windows writes it; and warnings. TrialRejected if it is none."""
    data = recorded_bytes(path, STAGE)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace"), []
    if b"\0" in data:
        raise unreadable(path.name, "is no text, although its name says so. Export it again.")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), ["the file is not in UTF-8: letters beyond ASCII are Windows' own."]


def even_rate_hz(name: str, time_s: np.ndarray) -> float:
    """The rate of evenly spaced times (T,). TrialRejected if they don't increase, or rows are missing."""
    if len(time_s) < 2:
        raise unreadable(name, f"holds {len(time_s)} rows, expected a motion. Export it again.")
    steps_s = np.diff(time_s)
    if not (np.isfinite(steps_s) & (steps_s > 0)).all():
        row = int(np.argmin(np.isfinite(steps_s) & (steps_s > 0))) + 1
        raise unreadable(
            name,
            f"its time goes from {time_s[row - 1]:g} to {time_s[row]:g} s at row {row + 1}, expected it to increase. "
            "Export it with more digits, or without the repeated rows.",
        )
    rate_hz = float((len(time_s) - 1) / (time_s[-1] - time_s[0]))
    off = np.abs((time_s - time_s[0]) * rate_hz - np.arange(len(time_s)))
    if off.max() > MAX_OFF_STEP:
        row = int(np.argmax(steps_s))
        raise unreadable(
            name,
            f"its time steps are uneven ({steps_s.min():g} to {steps_s.max():g} s; the longest after {time_s[row]:g} "
            "s), expected even ones. Rows are missing, or the rate changes: export it again at one rate.",
        )
    return rate_hz
