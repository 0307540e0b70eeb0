import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.c3d.read_c3d import read_c3d
from pipeline.ground.contacts import find_contacts, plates_in_ground
from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.records import ForcePlate, Markers
from pipeline.virtual.files.recording_file import c3d_file
from pipeline.virtual.instruments.blemishes import Blemishes, load_blemishes
from pipeline.virtual.instruments.capture import Capture, capture_standing, capture_walk
from pipeline.virtual.instruments.marker_blemishes import draw_skin
from pipeline.virtual.laboratory import Heading
from tests.pipeline.virtual.performances import BODY_N, MASS_KG, PROFILE, SUBJECT, standing, walking

# In a process of its own: ezc3d and OpenSim can't both live in this one.
PLATES_BY_EZC3D = """
import sys, ezc3d, numpy as np
plates = ezc3d.c3d(sys.argv[1], extract_forceplat_data=True)["data"]["platform"]
np.savez(
    sys.argv[2],
    force=[plate["force"].T for plate in plates],
    cop=[plate["center_of_pressure"].T for plate in plates],
    vertical=[plate["Tz"][2] for plate in plates],
)
"""
NONE = load_blemishes("none")
DEFAULT = load_blemishes("default")


def _captured(settings: Blemishes = NONE, heading: Heading = "+y", seed: int = 1) -> Capture:
    walk = walking()
    skin = draw_skin(walk.marker_names, PROFILE, settings, np.random.default_rng(2))
    return capture_walk(walk, PROFILE, heading, skin, settings, np.random.default_rng(seed))


def _read(capture: Capture, folder: Path) -> tuple[Markers, tuple[ForcePlate, ...], np.ndarray]:
    """The written file's markers and plates, in the ground frame that the chain finds, and that frame."""
    recording = read_c3d(c3d_file(capture, SUBJECT, "virtual-healthy").write(folder / "walk.c3d"))
    rotation = ground_rotation(recording, PROFILE)
    return to_ground(recording, rotation, recording.marker_labels), plates_in_ground(recording, rotation), rotation


@pytest.mark.parametrize("heading", ["+y", "-y"])
def test_without_blemishes_the_file_holds_the_truth(heading: Heading, tmp_path: Path) -> None:
    capture = _captured(heading=heading)
    markers, plates, _ = _read(capture, tmp_path)
    true = capture.performance

    np.testing.assert_allclose(markers.positions_m, true.markers_m, atol=1e-6)
    for plate, load in _contacts_of(plates, capture):
        on = plate.force_n[:, 1] > 20
        cop_m, free_moment_nm = centre_of_pressure(plate)
        np.testing.assert_allclose(plate.force_n[on], load.force_n[on], atol=1e-3)
        np.testing.assert_allclose(cop_m[on], load.cop_m[on], atol=1e-5)
        np.testing.assert_allclose(free_moment_nm[on], load.free_moment_nm[on], atol=1e-3)


def _contacts_of(plates: tuple[ForcePlate, ...], capture: Capture):
    """Each plate with the load of the one foot that walked on it."""
    for plate in plates:
        loaded = plate.force_n[:, 1] > 20
        yield plate, max(capture.performance.load.values(), key=lambda load: load.force_n[loaded, 1].sum())


def test_another_reader_s_force_plates_say_the_same(tmp_path: Path) -> None:
    capture = _captured(heading="-y")
    path = c3d_file(capture, SUBJECT, "virtual-healthy").write(tmp_path / "walk.c3d")
    subprocess.run([sys.executable, "-c", PLATES_BY_EZC3D, str(path), str(tmp_path / "plates.npz")], check=True)
    theirs = np.load(tmp_path / "plates.npz")
    _, plates, rotation = _read(capture, tmp_path)

    for index, (plate, load) in enumerate(_contacts_of(plates, capture)):
        on = plate.force_n[:, 1] > 20
        np.testing.assert_allclose((theirs["force"][index] @ rotation.T)[on], load.force_n[on], atol=1e-3)
        np.testing.assert_allclose(1e-3 * (theirs["cop"][index] @ rotation.T)[on], load.cop_m[on], atol=1e-5)
        np.testing.assert_allclose(1e-3 * theirs["vertical"][index][on], load.free_moment_nm[on], atol=1e-3)


def test_the_chain_finds_four_feet_on_plates_of_their_own(recipe, tmp_path: Path) -> None:
    markers, plates, _ = _read(_captured(), tmp_path)
    recording = read_c3d(tmp_path / "walk.c3d")

    contacts = find_contacts(recording, plates, markers, PROFILE, MASS_KG, recipe.ground_reactions)

    sides = [contact.side for contact in contacts if contact.usable]
    assert sides in (["right", "left"] * 2, ["left", "right"] * 2)
    assert recording.warnings == ()


def test_the_file_tells_the_laboratory_s_events_in_the_recording_s_time(tmp_path: Path) -> None:
    capture = _captured()
    recording = read_c3d(c3d_file(capture, SUBJECT, "virtual-healthy").write(tmp_path / "walk.c3d"))
    true = sorted((c.strike_s, c.side) for c in capture.performance.contacts)
    told = [(event.time_s, event.side) for event in recording.events if event.kind == "foot_strike"]

    assert [side for _, side in told] == [side for _, side in true]
    np.testing.assert_allclose([time_s for time_s, _ in told], [time_s for time_s, _ in true], atol=1e-5)
    assert sum(event.kind == "foot_off" for event in recording.events) == 8


def test_the_file_tells_the_subject(tmp_path: Path) -> None:
    path = c3d_file(_captured(), SUBJECT, "virtual-healthy").write(tmp_path / "walk.c3d")
    told = read_c3d(path).subject

    assert (told.mass_kg, told.sex, told.age_y) == (MASS_KG, "F", 31.0)
    assert told.height_m == pytest.approx(1.7)
    assert b"virtual, not patients" in path.read_bytes()


def test_the_plates_zero_is_read_while_they_are_empty(tmp_path: Path) -> None:
    settings = NONE.model_copy(update={"plate_offset_n": 30.0, "plate_offset_nm": 8.0})
    offset, clean = _captured(settings), _captured()
    with_offset, without = (_read(capture, tmp_path)[1] for capture in (offset, clean))

    assert np.abs(offset.plates - clean.plates).max() > 20
    for one, other in zip(with_offset, without, strict=True):
        np.testing.assert_allclose(one.force_n, other.force_n, atol=2e-3)
        np.testing.assert_allclose(one.moment_nm, other.moment_nm, atol=2e-3)


def test_nobody_is_on_the_plates_where_the_file_says_so() -> None:
    capture = _captured()
    assert capture.unloaded is not None
    first, last = capture.unloaded

    assert not capture.plates[(first - 1) * 10 : last * 10].any()
    assert capture.plates[(last + 1) * 10 :].any()


def test_a_recording_with_every_blemish_is_still_one_that_can_be_read(tmp_path: Path) -> None:
    worst = DEFAULT.model_copy(
        update={"half_off_plate_ratio": 1.0, "stumble_ratio": 1.0, "swapped_labels_ratio": 1.0, "gaps_per_trial": 9.0}
    )
    capture = _captured(worst)
    given = {mark.blemish for mark in capture.marks}

    _read(capture, tmp_path)
    assert given == {
        "marker_placement", "marker_white_noise", "marker_slow_noise", "soft_tissue", "gap", "swapped_labels",
        "half_off_plate", "stumble", "plate_offset", "plate_drift",
    }  # fmt: skip


def test_the_same_seed_gives_the_same_file_and_another_another() -> None:
    first, again, other = (
        c3d_file(_captured(DEFAULT, seed=seed), SUBJECT, "virtual-healthy").content() for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


def test_switching_one_blemish_off_changes_no_other() -> None:
    every = _captured(DEFAULT, seed=3)
    seeing = _captured(DEFAULT.model_copy(update={"gaps_per_trial": 0.0, "plate_noise_n": 0.0}), seed=3)

    shown = np.isfinite(every.markers_m)
    np.testing.assert_array_equal(every.markers_m[shown], seeing.markers_m[shown])
    np.testing.assert_array_equal(every.plates[:, :, 3:], seeing.plates[:, :, 3:])


def test_standing_weighs_the_subject_on_one_plate(tmp_path: Path) -> None:
    still = standing()
    half = {
        side: replace(load, force_n=np.tile([0.0, BODY_N / 2, 0.0], (len(load.force_n), 1)), cop_m=_steady(load.cop_m))
        for side, load in still.load.items()
    }
    capture = capture_standing(replace(still, load=half), NONE, np.random.default_rng(1))
    _, plates, rotation = _read(capture, tmp_path)

    np.testing.assert_allclose([plate.force_n[:, 1].mean() for plate in plates], [0, BODY_N, 0, 0], atol=1e-3)
    np.testing.assert_allclose(rotation, [[0, 1, 0], [0, 0, 1], [1, 0, 0]], atol=1e-12)


def _steady(cop_m: np.ndarray) -> np.ndarray:
    return np.tile(np.nanmean(cop_m, axis=0), (len(cop_m), 1))
