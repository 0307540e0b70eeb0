"""What goes wrong at force plates: a scuffing toe, a foot half off, offset, drift and noise.

Shapes: S analog samples, P plates.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pipeline.records import SIDES, Side
from pipeline.session.profile import Profile, foot_of
from pipeline.virtual.instruments.blemishes import Blemishes, Mark
from pipeline.virtual.instruments.placement import side_line_m
from pipeline.virtual.laboratory import Heading, boxes_m
from pipeline.virtual.records import FootLoad, Performance

PLATE_CHANNELS = ("Fx", "Fy", "Fz", "Mx", "My", "Mz")
# The foot's middle is within this distance of the edge, on either side: at least a sixth of its pressure is lost.
HALF_OFF_M = 0.02
# Friction of a scuffing toe over its vertical force; it acts backward.
DRAG_RATIO = 0.3
# Toes are low in this part of the swing.
SCUFF_FROM, SCUFF_TO = 0.25, 0.6


def half_off(
    performance: Performance, heading: Heading, settings: Blemishes, rng: np.random.Generator
) -> tuple[float | None, tuple[Mark, ...]]:
    """How far right, metres, to move a walker so that a foot is on the row's edge; None in most trials."""
    strays, side, inside_m = rng.random(), SIDES[int(rng.integers(2))], float(rng.uniform(-HALF_OFF_M, HALF_OFF_M))
    if strays >= settings.half_off_plate_ratio:
        return None, ()
    outwards = 1.0 if side == "right" else -1.0
    middle_m = float(np.nanmean(performance.load[side].cop_m[:, 2]))
    mark = Mark(blemish="half_off_plate", of=f"{side} foot", figure="inside_edge", value=1e3 * inside_m, unit="mm")
    return side_line_m(heading, side) - outwards * inside_m - middle_m, (mark,)


def scuff(
    performance: Performance, profile: Profile, heading: Heading, settings: Blemishes, rng: np.random.Generator
) -> tuple[tuple[FootLoad, ...], tuple[Mark, ...]]:
    """In some trials the load of a toe that touches a plate in mid-swing, and a record of it.

    The motion doesn't change: the truth is that of the walk, and only the recorded plates feel this load.
    """
    if rng.random() >= settings.stumble_ratio:
        return (), ()
    pick, when = rng.random(), rng.uniform(SCUFF_FROM, SCUFF_TO)
    swings = _swings_over_plates(performance, profile, heading, when)
    if not swings:
        return (), ()
    side, middle_s = swings[int(pick * len(swings))]
    rate_hz = _analog_rate_hz(performance)
    time_s = np.arange(len(performance.load[side].force_n)) / rate_hz
    within = np.clip((time_s - middle_s) / settings.stumble_s + 0.5, 0.0, 1.0)
    up_n = np.where((within > 0) & (within < 1), settings.stumble_n * np.sin(np.pi * within), 0.0)
    toe = performance.middle(foot_of(profile, side).toe)
    frames_s = performance.coordinates.time_s
    cop_m = np.column_stack(
        [np.interp(time_s, frames_s, toe[:, 0]), np.zeros_like(time_s), np.interp(time_s, frames_s, toe[:, 2])]
    )
    cop_m[up_n <= 0] = np.nan
    load = FootLoad(force_n=np.outer(up_n, [-DRAG_RATIO, 1.0, 0.0]), cop_m=cop_m, free_moment_nm=np.zeros_like(time_s))
    figures = (("middle", middle_s, "s"), ("length", settings.stumble_s, "s"), ("peak", settings.stumble_n, "N"))
    marks = (
        Mark(blemish="stumble", of=f"{side} foot", figure=name, value=float(value), unit=unit)
        for name, value, unit in figures
    )
    return (load,), tuple(marks)


def electrical(
    shape: tuple[int, ...], rate_hz: float, settings: Blemishes, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[Mark, ...]]:
    """The sum of offset, drift and noise of every channel, N and N·m, (S, P, 6), and records of the first two."""
    offset = rng.standard_normal(shape[1:]) * _per_channel(settings.plate_offset_n, settings.plate_offset_nm)
    drift = rng.standard_normal(shape[1:]) * _per_channel(settings.plate_drift_n_per_s, settings.plate_drift_nm_per_s)
    noise = rng.standard_normal(shape) * _per_channel(settings.plate_noise_n, settings.plate_noise_nm)
    time_s = np.arange(shape[0]) / rate_hz
    marks = []
    for what, values, per in (("plate_offset", offset, ""), ("plate_drift", drift, "/s")):
        if not values.any():
            continue
        for (plate, channel), value in np.ndenumerate(values):
            unit = ("N" if channel < 3 else "N·m") + per
            of = f"{PLATE_CHANNELS[channel]}{plate + 1}"
            marks.append(Mark(blemish=what, of=of, figure=what.removeprefix("plate_"), value=float(value), unit=unit))
    return offset + drift * time_s[:, None, None] + noise, tuple(marks)


def without_offset(settings: Blemishes) -> Blemishes:
    """The same settings right after the amplifiers were set to zero."""
    return settings.model_copy(update={"plate_offset_n": 0.0, "plate_offset_nm": 0.0})


def _per_channel(force: float, moment: float) -> np.ndarray:
    return np.array([force] * 3 + [moment] * 3)


def _analog_rate_hz(performance: Performance) -> float:
    time_s = performance.coordinates.time_s
    samples = len(performance.load["right"].force_n)
    return float(samples / len(time_s) * (len(time_s) - 1) / (time_s[-1] - time_s[0]))


def _swings_over_plates(
    performance: Performance, profile: Profile, heading: Heading, when: float
) -> Sequence[tuple[Side, float]]:
    """Sides and times of the swings whose toe is over a plate at this share of the swing."""
    swings: list[tuple[Side, float]] = []
    boxes, time_s = boxes_m(heading), performance.coordinates.time_s
    for side in SIDES:
        toe = performance.middle(foot_of(profile, side).toe)
        own = [contact for contact in performance.contacts if contact.side == side]
        for before, after in pairwise(own):
            middle_s = before.off_s + when * (after.strike_s - before.off_s)
            place = toe[int(np.argmin(np.abs(time_s - middle_s)))][[0, 2]]
            if any(((place > box[:, 0]) & (place < box[:, 1])).all() for box in boxes):
                swings.append((side, float(middle_s)))
    return swings
