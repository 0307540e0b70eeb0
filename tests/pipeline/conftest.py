"""A walker whose feet, forces and events are known, in a laboratory with z up and the walkway along +y."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import Event, ForcePlate, Recording, Side, SubjectBlock
from pipeline.session.load_profile import load_profile
from pipeline.session.profile import Profile
from pipeline.session.recipe import load_recipe

MASS_KG = 70.0
BODY_N = MASS_KG * 9.80665
SPEED_M_S = 1.2
STRIDE_S = 1.1
STANCE_S = 0.66
DOUBLE_S = STANCE_S - STRIDE_S / 2
FIRST_STRIKE_S = {"right": 0.2, "left": 0.2 + STRIDE_S / 2}
LATERAL_M = {"right": 0.1, "left": -0.1}

# Ground -> laboratory: forward is +y, up is +z, right is +x.
LABORATORY = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])


@dataclass(frozen=True)
class Walker:
    """Build recordings of one walk; every change is a `replace` away."""

    duration_s: float = 2.6
    point_rate_hz: float = 100.0
    analog_rate_hz: float = 1000.0
    plate_sides: tuple[Side, ...] = ("right", "left")
    plate_length_m: float = 0.6
    plate_shift_m: float = 0.0
    force_scale: float = 1.0
    load_delay_s: float = 0.0
    moment_sign: float = 1.0
    events: tuple[Event, ...] = field(default_factory=tuple)

    def strikes(self, side: Side) -> np.ndarray:
        return np.arange(FIRST_STRIKE_S[side], self.duration_s, STRIDE_S)

    def offs(self, side: Side) -> np.ndarray:
        before = FIRST_STRIKE_S[side] - STRIDE_S + STANCE_S
        return np.arange(before if before > 0 else before + STRIDE_S, self.duration_s, STRIDE_S)

    def heel(self, side: Side, time_s: np.ndarray) -> np.ndarray:
        """Ground-frame heel, (T, 3): still in stance, a smooth step in swing."""
        phase = (time_s - FIRST_STRIKE_S[side]) / STRIDE_S
        number, within = np.floor(phase), (phase - np.floor(phase)) * STRIDE_S
        swing = np.clip((within - STANCE_S) / (STRIDE_S - STANCE_S), 0, 1)
        ease = swing**3 * (10 - 15 * swing + 6 * swing**2)
        placed = SPEED_M_S * (FIRST_STRIKE_S[side] + STRIDE_S * (number + ease) + STANCE_S / 2) - 0.1
        height = 0.05 + 0.1 * np.sin(np.pi * swing)
        return np.stack([placed, height, np.full_like(placed, LATERAL_M[side])], axis=1)

    def load(self, side: Side, time_s: np.ndarray) -> np.ndarray:
        """Vertical force of the first stance on its plate, (S,) N: ramps that add up to body weight."""
        since = time_s - FIRST_STRIKE_S[side] - self.load_delay_s
        ramp = np.clip(since / DOUBLE_S, 0, 1) * np.clip((STANCE_S - since) / DOUBLE_S, 0, 1)
        return BODY_N * self.force_scale * ramp

    def plate(self, number: int, side: Side) -> ForcePlate:
        time_s = np.arange(round(self.duration_s * self.analog_rate_hz)) / self.analog_rate_hz
        strike = np.array([FIRST_STRIKE_S[side]])
        heel = self.heel(side, strike)[0]
        progress = np.clip((time_s - strike) / STANCE_S, 0, 1)
        cop = np.stack([heel[0] + 0.02 + 0.18 * progress, 0 * progress, np.full_like(progress, heel[2])], axis=1)
        up = self.load(side, time_s)
        force = np.stack([0.1 * up * (progress - 0.5), up, 0.02 * up], axis=1)
        centre = np.array([heel[0] + 0.11 + self.plate_shift_m, 0.0, heel[2]])
        half = self.plate_length_m / 2
        corners = centre + np.array([[half, 0, 0.09], [half, 0, -0.09], [-half, 0, -0.09], [-half, 0, 0.09]])
        origin = centre + np.array([0, -0.04, 0])
        moment = np.cross(cop - origin, force) + np.outer(0.005 * up, [0, 1, 0])
        return ForcePlate(
            number=number,
            type=2,
            corners_m=corners @ LABORATORY.T,
            origin_m=LABORATORY @ origin,
            normal=LABORATORY @ np.array([0.0, 1, 0]),
            force_n=force @ LABORATORY.T,
            moment_nm=self.moment_sign * moment @ LABORATORY.T,
        )

    def recording(self, **changes: object) -> Recording:
        time_s = np.arange(round(self.duration_s * self.point_rate_hz)) / self.point_rate_hz
        pelvis_x = SPEED_M_S * time_s
        points = {
            "R_IAS": (0.1, 0.95, 0.12), "L_IAS": (0.1, 0.95, -0.12),
            "R_IPS": (-0.1, 0.97, 0.05), "L_IPS": (-0.1, 0.97, -0.05),
        }  # fmt: skip
        tracks = {
            label: np.stack([pelvis_x + x, np.full_like(time_s, y), np.full_like(time_s, z)], axis=1)
            for label, (x, y, z) in points.items()
        }
        for side, letter in (("right", "R"), ("left", "L")):
            heel = self.heel(side, time_s)
            tracks[f"{letter}_FCC"] = heel
            tracks[f"{letter}_FM2"] = heel + np.array([0.17, -0.01, 0])
        built = Recording(
            path=Path("walk.c3d"),
            time_s=time_s,
            point_rate_hz=self.point_rate_hz,
            marker_labels=tuple(tracks),
            markers_m=np.stack(list(tracks.values()), axis=1) @ LABORATORY.T,
            analog_rate_hz=self.analog_rate_hz,
            analog_labels=(),
            analog_units=(),
            analog=np.zeros((round(self.duration_s * self.analog_rate_hz), 0)),
            plates=tuple(self.plate(i + 1, side) for i, side in enumerate(self.plate_sides)),
            events=self.events,
            subject=SubjectBlock(),
        )
        return replace(built, **changes)


@pytest.fixture
def walker() -> Walker:
    return Walker()


@pytest.fixture(scope="session")
def recipe():
    return load_recipe("gait2hip60")


@pytest.fixture(scope="session")
def profile():
    return load_profile("isb_full_body")


def with_every_label(recording: Recording, profile: Profile) -> Recording:
    """The recording with all of a profile's labels: those that it lacks travel with the pelvis, as on the model."""
    pelvis_m = recording.marker("R_IAS")
    others = [label for label in profile.markers if label not in recording.marker_labels]
    added = [pelvis_m + LABORATORY @ np.array(profile.markers[label].location_m) for label in others]
    return replace(
        recording,
        marker_labels=(*recording.marker_labels, *others),
        markers_m=np.concatenate([recording.markers_m, np.stack(added, axis=1)], axis=1),
    )
