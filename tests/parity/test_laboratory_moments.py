"""What Plug-in Gait's moments mean, from other quantities in the same files: none of this asks our model.

1. *Power*: what a joint's moment does on its two segments is moment times relative angular velocity. The files hold
   powers, and the segments' frames, whose turning is the velocity. Only one frame and one choice of signs give it.
2. *The ground's force*: in single support the hip carries little but the moment of the plates' force about its centre.
   The files hold that centre, and their plates' force in newtons: so moments are internal, and per kilogram of body.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.laboratory_moments import TO_OURS, along_thigh
from benchmarks.laboratory_outputs import laboratory_frame, laboratory_point
from pipeline.records import SIDES, Recording, Side
from tests.parity.laboratory_walks import WALKS, RecordedWalk, every_walk, read

pytestmark = pytest.mark.data

Record = Callable[[str, float, str, str], None]
SEGMENTS = {"Hip": ("PEL", "FE"), "Knee": ("FE", "TI"), "Ankle": ("TI", "FO")}
CHILDREN = [walk for walk in WALKS if walk.file.startswith("walking_children")]
# One hospital's powers are of smoother motion than the frames that it stores.
UNSTEADY = {"hospitals/QCMAS/QCMAS.dynamic.c3d"}
LARGEST_SHARE, UNSTEADY_SHARE = 0.05, 0.13
# The knee and the ankle flex the other way about the axis to the right.
FLEXES = {"Hip": 1.0, "Knee": -1.0, "Ankle": 1.0}


def moment(recording: Recording, side: Side, joint: str, suffix: str) -> np.ndarray:
    """(T, 3) N·m/kg about flexion or dorsiflexion, adduction and internal rotation."""
    return TO_OURS * laboratory_point(recording, f"{side[0].upper()}{joint}Moment{suffix}")


def velocities(recording: Recording, side: Side, joint: str, suffix: str, along: int = 1) -> np.ndarray:
    """How fast the distal segment flexes, adducts and turns inwards on the proximal one, (T, 3) rad/s.

    `along`: 0 for the proximal segment's axes, 1 for the distal one's.
    """
    names = [name if name == "PEL" else f"{side[0].upper()}{name}" for name in SEGMENTS[joint]]
    frames = [laboratory_frame(recording, name, suffix) for name in names]
    proximal, distal = (_turning(frame, recording.point_rate_hz) for frame in frames)
    flexes, adducts, turns = along_thigh(distal - proximal, frames[along], side)
    return np.stack([FLEXES[joint] * flexes, adducts, turns], axis=1)


def _turning(frame: np.ndarray, rate_hz: float) -> np.ndarray:
    """Angular velocity (T, 3) of a frame (T, 3, 3): the skew part of its derivative times its inverse."""
    spin = np.gradient(frame, 1 / rate_hz, axis=0) @ frame.swapaxes(1, 2)
    return (
        np.stack([spin[:, 2, 1] - spin[:, 1, 2], spin[:, 0, 2] - spin[:, 2, 0], spin[:, 1, 0] - spin[:, 0, 1]], 1) / 2
    )


def powers(recording: Recording, side: Side, joint: str, suffix: str) -> np.ndarray:
    """(T,) W/kg, positive where the joint's muscles shorten."""
    return laboratory_point(recording, f"{side[0].upper()}{joint}Power{suffix}")[:, 2]


def single_support(recording: Recording, side: Side) -> np.ndarray:
    """The frames (T,) in which the laboratory has a force under this foot alone."""
    force = {
        one: np.nan_to_num(laboratory_point(recording, f"{one[0].upper()}GroundReactionForce"))[:, 2] for one in SIDES
    }
    other = next(one for one in SIDES if one != side)
    return (force[side] > 2.0) & (np.abs(force[other]) < 0.01)


def about(recording: Recording, point_m: np.ndarray) -> np.ndarray:
    """The moment (T, 3) N·m of all plates' forces about a moving point (T, 3), in the laboratory's frame."""
    every = round(recording.analog_rate_hz / recording.point_rate_hz)
    return np.sum(
        [
            plate.moment_nm[::every] + np.cross(plate.origin_m - point_m, plate.force_n[::every])
            for plate in recording.plates
        ],
        axis=0,
    )


def missing(of: np.ndarray, found: np.ndarray) -> float:
    """Root mean square difference over root mean square, where both are known."""
    both = np.isfinite(of) & np.isfinite(found)
    assert both.sum() > 90
    return float(np.sqrt(np.mean((of - found)[both] ** 2) / np.mean(of[both] ** 2)))


@every_walk
@pytest.mark.parametrize("joint", ["Hip", "Knee"])
def test_moments_are_internal_and_along_the_distal_segments_axes(
    walk: RecordedWalk, joint: str, shared_data: Path, record_largest: Record
) -> None:
    """Any other sign of any component gives another power, and so do the proximal segment's axes."""
    recording = read(shared_data / walk.file)
    for side in SIDES:
        power = powers(recording, side, joint, walk.suffix)
        parts = moment(recording, side, joint, walk.suffix) * velocities(recording, side, joint, walk.suffix)
        left = missing(power, parts.sum(axis=1))
        if walk.file not in UNSTEADY:
            record_largest(f"{joint.lower()} moment × velocity, from Vicon's power", left, "{:.3f}", f"{LARGEST_SHARE}")
        assert left < (UNSTEADY_SHARE if walk.file in UNSTEADY else LARGEST_SHARE)
        proximal = velocities(recording, side, joint, walk.suffix, along=0)
        assert left < missing(power, np.sum(moment(recording, side, joint, walk.suffix) * proximal, axis=1))
        for component in range(3):
            signs = np.where(np.arange(3) == component, -1.0, 1.0)
            assert left < missing(power, (signs * parts).sum(axis=1)), f"{side} {joint}, component {component}"


@every_walk
def test_the_ankles_first_component_is_internal_and_plantarflexes(walk: RecordedWalk, shared_data: Path) -> None:
    """Its other two do little, so that their axes can't be told from power."""
    recording = read(shared_data / walk.file)
    for side in SIDES:
        power = powers(recording, side, "Ankle", walk.suffix)
        velocity = velocities(recording, side, "Ankle", walk.suffix)
        part = moment(recording, side, "Ankle", walk.suffix)[:, 0] * velocity[:, 0]
        assert missing(power, part) < 0.2
        assert missing(power, -part) > 1.9


@pytest.mark.parametrize("walk", CHILDREN, ids=lambda walk: Path(walk.file).stem)
def test_in_single_support_the_hip_carries_the_grounds_force_per_kilogram(
    walk: RecordedWalk, shared_data: Path, record_largest: Record
) -> None:
    """What is left, 0.1 N·m/kg, is the legs' own weight and inertia."""
    recording = read(shared_data / walk.file)
    for side in SIDES:
        alone = single_support(recording, side)
        assert alone.sum() >= 40
        thigh = f"{side[0].upper()}FE"
        on_thigh = -about(recording, laboratory_point(recording, f"{thigh}P")) / recording.subject.mass_kg
        expected = along_thigh(on_thigh, laboratory_frame(recording, thigh, ""), side)
        for component in (0, 1):
            theirs, quiet = moment(recording, side, "Hip", "")[alone, component], expected[component][alone]
            assert np.corrcoef(theirs, quiet)[0, 1] > 0.9
            off = abs(np.mean(theirs - quiet))
            record_largest("hip moment, from the plates' about Vicon's hip centre", off, "{:.2f} N·m/kg", "0.1 N·m/kg")
            assert off < 0.1
