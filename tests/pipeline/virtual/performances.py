"""Walks whose feet and loads are plain arithmetic, as the virtual laboratory's instruments get them."""

from itertools import pairwise

import numpy as np

from pipeline.records import SIDES, Coordinates, GeneralizedForces, Side
from pipeline.session.load_profile import load_profile
from pipeline.virtual.records import ANALOG_RATE_HZ, MARKER_RATE_HZ, FootContact, FootLoad, Performance, VirtualSubject

MASS_KG = 70.0
BODY_N = MASS_KG * 9.80665
STANCE_RATIO = 0.62
LATERAL_M = {"right": 0.1, "left": -0.1}
HEEL_TO_TOE_M = 0.17
PROFILE = load_profile("isb_full_body")

SUBJECT = VirtualSubject(
    subject_id="VH001", cohort="healthy", sex="F", age_y=31.0, mass_kg=MASS_KG, height_m=1.7, segment_factors={}
)


def walking(step_m: float = 0.62, step_s: float = 0.55, steps: int = 8, start_s: float = 2.0) -> Performance:
    """A walk forward from x = 0, its time beginning at `start_s`; feet land heel first, every load a half sine."""
    stance_s = 2 * step_s * STANCE_RATIO
    contacts = tuple(
        FootContact(side=SIDES[n % 2], strike_s=start_s + 0.2 + n * step_s, off_s=start_s + 0.2 + n * step_s + stance_s)
        for n in range(steps)
    )
    end_s = contacts[-1].off_s + 0.2
    heels_m = {side: [step_m * n for n in range(steps) if SIDES[n % 2] == side] for side in SIDES}
    return _performance(start_s, end_s, contacts, heels_m, step_m / step_s)


def standing() -> Performance:
    contacts = tuple(FootContact(side=side, strike_s=0.0, off_s=3.0) for side in SIDES)
    return _performance(0.0, 3.0, contacts, {side: [0.0] for side in SIDES}, 0.0)


def _performance(
    start_s: float, end_s: float, contacts: tuple[FootContact, ...], heels_m: dict[Side, list[float]], speed_m_s: float
) -> Performance:
    frames = round((end_s - start_s) * MARKER_RATE_HZ)
    time_s = start_s + np.arange(frames) / MARKER_RATE_HZ
    sample_s = start_s + np.arange(round(frames * ANALOG_RATE_HZ / MARKER_RATE_HZ)) / ANALOG_RATE_HZ
    names = ("pelvis_tilt", "pelvis_tx", "pelvis_ty", "pelvis_tz", "hip_flexion_r")
    values = np.zeros((frames, len(names)))
    values[:, 1], values[:, 2] = speed_m_s * (time_s - start_s), 0.95
    values[:, 4] = 0.4 * np.sin(6 * time_s)
    rotational = np.array([True, False, False, False, True])
    return Performance(
        coordinates=Coordinates(time_s=time_s, names=names, rotational=rotational, values=values),
        speeds=np.gradient(values, time_s, axis=0),
        accelerations=np.gradient(np.gradient(values, time_s, axis=0), time_s, axis=0),
        moments=GeneralizedForces(time_s=time_s, names=names, rotational=rotational, values=values * 10),
        marker_names=tuple(PROFILE.markers),
        markers_m=_markers(time_s, contacts, heels_m, values[:, 1]),
        load={
            side: _load([one for one in contacts if one.side == side], heels_m[side], LATERAL_M[side], sample_s)
            for side in SIDES
        },
        contacts=contacts,
    )


def _markers(
    time_s: np.ndarray, contacts: tuple[FootContact, ...], heels_m: dict[Side, list[float]], pelvis_m: np.ndarray
) -> np.ndarray:
    """The pelvis' and feet's markers where they belong, all others at places of their own over the pelvis."""
    markers = np.empty((len(time_s), len(PROFILE.markers), 3))
    for column, (label, marker) in enumerate(PROFILE.markers.items()):
        markers[:, column] = np.add(marker.location_m, [0.0, 1.0, 0.0])
        markers[:, column, 0] += pelvis_m
        side: Side = "left" if label.startswith("L_") else "right"
        if marker.body.startswith(("calcn", "toes")):
            forward = HEEL_TO_TOE_M if label.endswith(("FM1", "FM2", "FM5")) else 0.0
            foot = _heel(time_s, [one for one in contacts if one.side == side], heels_m[side])
            markers[:, column] = np.add(foot, [forward, 0.0, LATERAL_M[side]])
    return markers


def _heel(time_s: np.ndarray, own: list[FootContact], heels_m: list[float]) -> np.ndarray:
    place, height = np.full(len(time_s), heels_m[0]), np.full(len(time_s), 0.05)
    for (before, at), (after, to) in pairwise(zip(own, heels_m, strict=True)):
        swing = np.clip((time_s - before.off_s) / (after.strike_s - before.off_s), 0, 1)
        place += (to - at) * swing**3 * (10 - 15 * swing + 6 * swing**2)
        height += 0.1 * np.sin(np.pi * swing) ** 2
    return np.column_stack([place, height, np.zeros(len(time_s))])


def _load(own: list[FootContact], heels_m: list[float], lateral_m: float, sample_s: np.ndarray) -> FootLoad:
    force, cop = np.zeros((len(sample_s), 3)), np.full((len(sample_s), 3), np.nan)
    moment = np.zeros(len(sample_s))
    for contact, heel_m in zip(own, heels_m, strict=True):
        during = (sample_s > contact.strike_s) & (sample_s < contact.off_s)
        part = (sample_s[during] - contact.strike_s) / (contact.off_s - contact.strike_s)
        up_n = BODY_N * np.sqrt(np.sin(np.pi * part))
        force[during] = np.column_stack([up_n * 0.2 * (part - 0.5), up_n, 0.03 * up_n * np.sign(-lateral_m)])
        cop[during] = np.column_stack([heel_m + 0.02 + 0.2 * part, 0 * part, lateral_m + 0.01 * np.sin(6 * part)])
        moment[during] = 5 * np.sin(2 * np.pi * part) * up_n / BODY_N
    return FootLoad(force_n=force, cop_m=cop, free_moment_nm=moment)
