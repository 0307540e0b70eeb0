"""Names, orders and signs of angles against Vicon's Plug-in Gait, from the segments' frames that it stores beside them.

Taken in our order, the rotation between two of its frames has to be the angle in the same file.
"""

from collections.abc import Callable
from pathlib import Path

import ezc3d
import numpy as np
import pytest

from benchmarks.laboratory_outputs import laboratory_frame, laboratory_point
from pipeline.anatomy.conventions import CONVENTIONS, WALKING, JointConvention, named_angles
from pipeline.anatomy.segment_frames import angles_between, segment_frame, turned_about_y
from pipeline.records import SIDES, Recording, Side
from tests.parity.laboratory_walks import RecordedWalk, every_walk, read

pytestmark = pytest.mark.data

Record = Callable[[str, float, str, str], None]
Columns = tuple[str, ...]
BY_NAME = {convention.name: convention for convention in CONVENTIONS}

# Their angles and our names of their components, "" for what we don't report.
THEIRS: dict[str, tuple[str, Columns]] = {
    "PelvisAngles": ("pig_pelvis", ("tilt", "obliquity", "rotation")),
    "HipAngles": ("pig_hip", ("flexion", "adduction", "rotation")),
    "KneeAngles": ("pig_knee", ("flexion", "adduction", "rotation")),
    "AnkleAngles": ("pig_ankle", ("dorsiflexion", "", "rotation")),
    "FootProgressAngles": ("pig_foot", ("", "", "progression")),
}
BAKERS = ("baker_pelvis", ("tilt", "obliquity", "rotation"))
LIMIT_DEG = 0.1


def frames_of(recording: Recording, suffix: str, torsion: dict[Side, float]) -> dict[tuple[str, Side], np.ndarray]:
    frames = {}
    for side in SIDES:
        letter = side[0].upper()
        frames[WALKING, side] = walkway(laboratory_point(recording, f"PEL{suffix}O"))
        frames["pelvis", side] = laboratory_frame(recording, "PEL", suffix)
        for name, segment in (("thigh", "FE"), ("shank", "TI"), ("foot", "FO")):
            frames[name, side] = laboratory_frame(recording, f"{letter}{segment}", suffix)
        frames["twisted shank", side] = turned_about_y(frames["shank", side], torsion[side])
    return frames


def walkway(pelvis: np.ndarray) -> np.ndarray:
    """The laboratory's axis that the pelvis travels along, up, and right; these laboratories have z up."""
    seen = pelvis[np.isfinite(pelvis).all(axis=1)]
    course = (seen[-1] - seen[0])[:2]
    forward = np.zeros(3)
    forward[np.argmax(np.abs(course))] = np.sign(course[np.argmax(np.abs(course))])
    up = np.array([0.0, 0.0, 1.0])
    ground = np.stack([forward, up, np.cross(forward, up)], axis=1)
    return np.broadcast_to(ground, (len(pelvis), 3, 3))


def torsion_of(walk: RecordedWalk, shared_data: Path) -> dict[Side, float]:
    """How far the shank is turned about its own up to face along the malleoli, radians.

    In a static trial Plug-in Gait tells the knee from the shank along the malleoli: its rotation there is the torsion.
    """
    if not walk.static:
        return {"right": 0.0, "left": 0.0}
    static = read(shared_data / walk.static)
    turned = {side: np.nanmean(laboratory_point(static, f"{side[0].upper()}KneeAngles")[:, 2]) for side in SIDES}
    return {"right": float(np.radians(turned["right"])), "left": float(-np.radians(turned["left"]))}


@every_walk
def test_vicons_frames_give_vicons_angles(walk: RecordedWalk, shared_data: Path, record_largest: Record) -> None:
    recording = read(shared_data / walk.file)
    frames = frames_of(recording, walk.suffix, torsion_of(walk, shared_data))
    theirs = {
        f"{side[0].upper()}{label}{walk.suffix}": (side, *names) for label, names in THEIRS.items() for side in SIDES
    }
    if walk.baker:
        theirs |= {walk.baker.format(side=side[0].upper()): (side, *BAKERS) for side in SIDES}
    for label, (side, name, columns) in theirs.items():
        expected = laboratory_point(recording, label)
        for component, column in enumerate(columns):
            if column:
                found = one_angle(frames, BY_NAME[name], column, side)
                compared = np.isfinite(found) & np.isfinite(expected[:, component])
                assert compared.sum() > 90, f"{label}: {compared.sum()} frames"
                worst = np.abs(found - expected[:, component])[compared].max()
                record_largest(f"{name} against Vicon's, from its own frames", worst, "{:.4f}°", f"{LIMIT_DEG}°")
                assert worst < LIMIT_DEG, f"{label} {column}: {worst:.3f} degrees from {name}"


def one_angle(
    frames: dict[tuple[str, Side], np.ndarray], convention: JointConvention, column: str, side: Side
) -> np.ndarray:
    found = named_angles(frames, convention)
    return found[f"{convention.name}_{column}{'' if column == 'tilt' else f'_{side[0]}'}"]


@every_walk
def test_vicons_pelvis_and_shank_are_made_as_ours(walk: RecordedWalk, shared_data: Path) -> None:
    """The pelvis from spines or sacrum; the shank's long axis up to the knee's centre as the femur has it."""
    recording = read(shared_data / walk.file)
    right, left = laboratory_point(recording, "RASI"), laboratory_point(recording, "LASI")
    behind = (
        laboratory_point(recording, "SACR")
        if "SACR" in recording.marker_labels
        else (laboratory_point(recording, "RPSI") + laboratory_point(recording, "LPSI")) / 2
    )
    ours = segment_frame("z", right - left, "x", (right + left) / 2 - behind)
    assert largest_deg(ours, laboratory_frame(recording, "PEL", walk.suffix)) < LIMIT_DEG
    for letter in "RL":
        knee, ankle = (laboratory_point(recording, f"{letter}{segment}{walk.suffix}O") for segment in ("FE", "TI"))
        shank = laboratory_frame(recording, f"{letter}TI", walk.suffix)
        assert largest_deg(segment_frame("y", knee - ankle, "z", shank[:, :, 2]), shank) < LIMIT_DEG


def largest_deg(one: np.ndarray, other: np.ndarray) -> float:
    """The largest angle about any axis between two frames, over the frames of both."""
    angles = angles_between(one, other, "ZXY")
    return float(np.degrees(np.nanmax(np.abs(list(angles.values())))))


@pytest.mark.parametrize("number", ["01", "08"])
def test_the_torsion_is_the_knees_rotation_in_standing(number: str, shared_data: Path) -> None:
    """As one hospital's files state it (PROCESSING), negative outwards: so is ours told in the neutral pose."""
    path = shared_data / f"hospitals/FMC/MH0222_BP{number}.c3d"
    stated = ezc3d.c3d(str(path))["parameters"]["PROCESSING"]
    for letter in "RL":
        rotation_deg = np.nanmean(laboratory_point(read(path), f"{letter}KneeAngles")[:, 2])
        assert np.degrees(stated[f"{letter}TibialTorsion"]["value"][0]) == pytest.approx(rotation_deg, abs=LIMIT_DEG)
        assert rotation_deg < -5


def test_without_its_torsion_the_ankle_would_be_another(shared_data: Path) -> None:
    """So that the comparison tells the twisted shank from the other."""
    recording = read(shared_data / "hospitals/FMC/MH0222_BP15.c3d")
    frames = frames_of(recording, "", {"right": 0.0, "left": 0.0})
    rotation = one_angle(frames, BY_NAME["pig_ankle"], "rotation", "right")
    assert np.nanmin(np.abs(rotation - laboratory_point(recording, "RAnkleAngles")[:, 2])) > 5


def test_bakers_order_is_not_plug_in_gaits(shared_data: Path) -> None:
    """In crouch gait the two differ by degrees."""
    recording = read(shared_data / "hospitals/RCH/RCH.08.c3d")
    baker, pig = (laboratory_point(recording, label) for label in ("LNewPelAngles", "LPelvisAngles"))
    assert np.nanmax(np.abs(baker - pig)) > 2
