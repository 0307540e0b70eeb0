"""One wrench on one plate, stated rightly and wrongly: (30, -20, 700) N at (0.25, 0.40) m, 5 N·m about the vertical.

The channels are the wrench's components in the plate's axes (x as the laboratory's, y and z opposite), by hand.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.c3d.read_c3d import read_c3d
from pipeline.records import Recording
from tests.pipeline.c3d_builder import C3DFile, float32s, int16s, merged, still_points

FORCE_N = np.array([30.0, -20.0, 700.0])
AT_M = np.array([0.25, 0.40, 0.0])
FREE_NM = 5.0
CENTRE_M = np.array([0.2, 0.3, 0.0])
AXES = np.diag([1.0, -1.0, -1.0])
CORNERS_MM = np.array([[400.0, 0, 0], [0, 0, 0], [0, 600, 0], [400, 600, 0]])
UNITS = {
    1: ["N", "N", "N", "mm", "mm", "Nmm"],
    2: ["N", "N", "N", "Nmm", "Nmm", "Nmm"],
    3: ["N"] * 8,
    4: ["V"] * 6,
}
# From the surface's centre to the transducers, in the plate's axes (z down), metres.
BELOW_M = np.array([0.0, 0.0, 0.04])
ORIGIN_MM = {1: np.zeros(3), 2: -1e3 * BELOW_M, 3: np.array([120.0, 200.0, -40.0]), 4: -1e3 * BELOW_M}


def wrench(at_m: np.ndarray, below_m: np.ndarray = BELOW_M) -> np.ndarray:
    """Force and moment about the transducers, N and N·mm, in the plate's axes, (S, 6)."""
    arms_m = at_m - (CENTRE_M + AXES @ below_m)
    moments = np.cross(arms_m, FORCE_N) + np.array([0.0, 0.0, FREE_NM])
    return np.hstack([np.tile(AXES @ FORCE_N, (len(at_m), 1)), 1e3 * moments @ AXES])


def channels(plate_type: int, at_m: np.ndarray, below_m: np.ndarray = BELOW_M) -> np.ndarray:
    """What a plate of this type stores in its own units, (S, K)."""
    six = wrench(at_m, below_m)
    if plate_type == 1:
        return np.hstack(
            [six[:, :3], 1e3 * (at_m - CENTRE_M)[:, :2] @ AXES[:2, :2], np.full((len(at_m), 1), -1e3 * FREE_NM)]
        )
    if plate_type != 3:
        return six
    a, b, _ = np.abs(ORIGIN_MM[3])
    (fx, fy, fz), (mx, my, mz) = six[:, :3].T, six[:, 3:].T
    # Mx = b (fz1 + fz2 - fz3 - fz4), My = a (fz2 + fz3 - fz1 - fz4), Mz = b (fx34 - fx12), with fy14 = fy23.
    along, across, turn = mx / b, my / a, mz / b
    fz1, fz2 = (fz + along - across) / 4, (fz + along + across) / 4
    fz3, fz4 = (fz - along + across) / 4, (fz - along - across) / 4
    return np.column_stack([(fx - turn) / 2, (fx + turn) / 2, fy / 2, fy / 2, fz1, fz2, fz3, fz4])


def standing(samples: int = 100) -> np.ndarray:
    return np.tile(AT_M, (samples, 1))


def rolling(samples: int = 100) -> np.ndarray:
    """A centre of pressure that moves 0.2 m along y and 0.02 m along x, and ends at AT_M."""
    return AT_M - np.linspace(1, 0, samples)[:, None] * [0.02, 0.2, 0.0]


def platform(plate_type: int, **changes: object) -> dict:
    group = {
        "USED": int16s(1),
        "TYPE": int16s(plate_type),
        "CORNERS": CORNERS_MM.T[:, :, None].astype("<f4"),
        "ORIGIN": ORIGIN_MM[plate_type][:, None].astype("<f4"),
        "CHANNEL": np.arange(1, len(UNITS[plate_type]) + 1, dtype="<i2")[:, None],
        "ZERO": int16s(1, 0),
    }
    if plate_type == 4:
        group["CAL_MATRIX"] = np.eye(6, dtype="<f4")[:, :, None]
    return {"FORCE_PLATFORM": {**group, **changes}}


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    return tmp_path / "walk.c3d"


def read(path: Path, plate_type: int, stored: np.ndarray, *parameters: dict) -> Recording:
    stated = merged({"ANALOG": {"UNITS": UNITS[plate_type]}}, platform(plate_type), *parameters)
    return read_c3d(C3DFile(points=still_points(), analog=stored, parameters=stated).write(path))


def assert_right(recording: Recording) -> None:
    (plate,) = recording.plates
    cop_m, free_nm = centre_of_pressure(plate)
    np.testing.assert_allclose(plate.force_n[-1], FORCE_N, atol=1e-3)
    np.testing.assert_allclose(cop_m[-1], AT_M, atol=1e-5)
    assert free_nm[-1] == pytest.approx(FREE_NM, abs=1e-2)


def assert_left_out(recording: Recording, said: str) -> None:
    assert recording.plates == ()
    (warning,) = recording.warnings
    assert warning.startswith("force plate 1 is left out: ")
    assert said in warning


@pytest.mark.parametrize("plate_type", [1, 2, 3, 4])
@pytest.mark.parametrize("at_m", [standing(), rolling()], ids=["standing", "rolling"])
def test_what_is_stated_rightly_is_left_alone(walk: Path, plate_type: int, at_m: np.ndarray) -> None:
    recording = read(walk, plate_type, channels(plate_type, at_m))
    assert_right(recording)
    assert recording.warnings == ()


def scaled(stored: np.ndarray, columns: slice, factor: float) -> np.ndarray:
    changed = stored.copy()
    changed[:, columns] *= factor
    return changed


@pytest.mark.parametrize("at_m", [standing(), rolling()], ids=["standing", "rolling"])
@pytest.mark.parametrize("plate_type", [2, 4])
def test_moments_a_thousand_times_too_large_are_put_right_and_said(
    walk: Path, plate_type: int, at_m: np.ndarray
) -> None:
    # N·mm under the unit N·m puts the centre of pressure a hundred metres off.
    recording = read(walk, plate_type, scaled(channels(plate_type, at_m), slice(3, 6), 1e3))
    assert_right(recording)
    (warning,) = recording.warnings
    assert "force plate 1: moments" in warning
    assert "taken as a thousandth of what is stated" in warning


@pytest.mark.parametrize("at_m", [standing(), rolling()], ids=["standing", "rolling"])
@pytest.mark.parametrize("plate_type", [2, 4])
@pytest.mark.parametrize("factor", [1e-3, 0.0])
def test_moments_that_move_nothing_leave_the_plate_out(
    walk: Path, plate_type: int, at_m: np.ndarray, factor: float
) -> None:
    # N·m under the unit N·mm: a centre of pressure that sits still at the plate's centre is on the plate.
    recording = read(walk, plate_type, scaled(channels(plate_type, at_m), slice(3, 6), factor))
    assert_left_out(recording, "move the centre of pressure by less than 0.3 mm")


def test_one_dead_moment_leaves_the_plate_out(walk: Path) -> None:
    recording = read(walk, 2, scaled(channels(2, rolling()), slice(3, 4), 0.0))
    assert_left_out(recording, "move the centre of pressure by less than 0.3 mm")


def test_points_of_type_1_in_metres_or_micrometres(walk: Path) -> None:
    stored = channels(1, rolling())
    assert_left_out(read(walk, 1, scaled(stored, slice(3, 5), 1e-3)), "points of force (ANALOG:UNITS) move")
    recording = read(walk, 1, scaled(stored, slice(3, 5), 1e3))
    assert_right(recording)
    assert "points of force (ANALOG:UNITS) are taken as a thousandth" in recording.warnings[0]


def test_distances_of_type_3_in_another_unit(walk: Path) -> None:
    stored = channels(3, rolling())
    metres = {"FORCE_PLATFORM": {"ORIGIN": (ORIGIN_MM[3] / 1e3)[:, None].astype("<f4")}}
    assert_left_out(read(walk, 3, stored, metres), "distances (ORIGIN) move")
    micrometres = {"FORCE_PLATFORM": {"ORIGIN": (1e3 * ORIGIN_MM[3])[:, None].astype("<f4")}}
    recording = read(walk, 3, stored, micrometres)
    assert_right(recording)
    assert len(recording.warnings) == 1


@pytest.mark.parametrize("plate_type", [1, 2])
def test_a_free_moment_in_another_unit_leaves_the_plate_out(walk: Path, plate_type: int) -> None:
    recording = read(walk, plate_type, scaled(channels(plate_type, rolling()), slice(5, 6), 1e3))
    assert_left_out(recording, "m times its force, expected less than 0.3 m")


BESIDE_M = np.array([0.24, -0.8, 0.0])


@pytest.mark.parametrize(("sign", "warnings"), [(-1.0, 0), (1.0, 1)], ids=["as the format says", "opposite"])
def test_an_origin_without_depth_points_where_the_plate_is(walk: Path, sign: float, warnings: int) -> None:
    origin = {"FORCE_PLATFORM": {"ORIGIN": (1e3 * sign * BESIDE_M)[:, None].astype("<f4")}}
    recording = read(walk, 2, channels(2, rolling(), BESIDE_M), origin)
    assert_right(recording)
    assert len(recording.warnings) == warnings


def test_an_origin_that_may_point_either_way_is_told(walk: Path) -> None:
    beside_m = np.array([0.0, 0.02, 0.0])
    origin = {"FORCE_PLATFORM": {"ORIGIN": (-1e3 * beside_m)[:, None].astype("<f4")}}
    recording = read(walk, 2, channels(2, rolling(), beside_m), origin)
    assert_right(recording)
    assert "nothing tells which way it points" in recording.warnings[0]


@pytest.mark.parametrize("plate_type", [2, 3])
def test_a_force_that_pulls_leaves_the_plate_out(walk: Path, plate_type: int) -> None:
    assert_left_out(read(walk, plate_type, -channels(plate_type, rolling())), "it pulls down by up to 700 N")


def test_a_plate_set_to_zero_under_a_load_is_left_out(walk: Path) -> None:
    stored = channels(2, standing())
    stored[50:] = 0.0
    recording = read(walk, 2, stored, {"FORCE_PLATFORM": {"ZERO": int16s(1, 3)}})
    assert_left_out(recording, "it was set to zero under a load")


@pytest.mark.parametrize("origin_mm", [ORIGIN_MM[2], ORIGIN_MM[2] / 1e3], ids=["mm", "m"])
def test_corners_in_millimetres_under_metres(walk: Path, origin_mm: np.ndarray) -> None:
    points = {"POINT": {"UNITS": "m"}, "FORCE_PLATFORM": {"ORIGIN": origin_mm[:, None].astype("<f4")}}
    recording = read(walk, 2, channels(2, rolling()), points)
    assert_right(recording)
    assert "FORCE_PLATFORM:CORNERS spans 721 m in POINT:UNITS" in recording.warnings[0]


def test_a_centre_of_pressure_off_the_plate_leaves_it_out(walk: Path) -> None:
    corners = {"FORCE_PLATFORM": {"CORNERS": (CORNERS_MM.T * 0.3)[:, :, None].astype("<f4")}}
    recording = read(walk, 2, channels(2, AT_M + rolling() * [0, 1, 0]), corners)
    assert_left_out(recording, "its centre of pressure lies outside it in 100 % of the loaded samples")


def test_two_plates_on_the_same_channels(walk: Path) -> None:
    both = {
        "USED": int16s(2),
        "TYPE": int16s(2, 2),
        "CORNERS": np.stack([CORNERS_MM.T, CORNERS_MM.T + np.array([[400.0], [0], [0]])], axis=2).astype("<f4"),
        "ORIGIN": np.stack([ORIGIN_MM[2]] * 2, axis=1).astype("<f4"),
        "CHANNEL": np.tile(np.arange(1, 7, dtype="<i2")[:, None], 2),
    }
    recording = read(walk, 2, channels(2, rolling()), {"FORCE_PLATFORM": both})
    assert_right(recording)
    (warning,) = recording.warnings
    assert "force plate 2 is left out: it uses the channel 1, which is force plate 1's" in warning


def test_a_correction_that_is_not_made_is_told(walk: Path) -> None:
    polynomial = {"FORCE_PLATFORM": {"FPCOPPOLY": float32s(1e-15, 1e-10, 1e-6, 1e-10, 1e-5, 0.04)}}
    recording = read(walk, 3, channels(3, rolling()), polynomial)
    assert_right(recording)
    (warning,) = recording.warnings
    assert "FPCOPPOLY asks for a correction" in warning


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("zero", [(1, 0), (1, 2)], ids=["no baseline", "baseline"])
def test_an_unknown_sample_is_unknown_and_no_other(walk: Path, value: float, zero: tuple[int, int]) -> None:
    stored = channels(2, rolling())
    stored[:20] = 0.0
    stored[[5, 60], 2] = value
    (plate,) = read(walk, 2, stored, {"FORCE_PLATFORM": {"ZERO": int16s(*zero)}}).plates
    cop_m, _ = centre_of_pressure(plate)
    assert np.flatnonzero(np.isnan(plate.force_n).any(axis=1)).tolist() == [5, 60]
    np.testing.assert_allclose(cop_m[-1], AT_M, atol=1e-5)


def test_a_baseline_of_which_nothing_is_known(walk: Path) -> None:
    stored = channels(2, rolling())
    stored[:20] = np.nan
    recording = read(walk, 2, stored, {"FORCE_PLATFORM": {"ZERO": int16s(1, 2)}})
    assert recording.plates == ()
    assert any("no sample is known in the frames that FORCE_PLATFORM:ZERO" in warning for warning in recording.warnings)


# In a process of its own: once ezc3d has written a file, OpenSim takes no more StdVectorInt in that process.
WITH_EZC3D = """
import sys, ezc3d, numpy as np
given = np.load(sys.argv[1])
file = ezc3d.c3d()
parameters, points = file["parameters"], np.ones((4, 2, 10))
points[:3] *= 100
file["data"]["points"], file["data"]["analogs"] = points, given["channels"].T[None]
del file["data"]["meta_points"]
parameters["POINT"]["LABELS"]["value"], parameters["POINT"]["RATE"]["value"] = ["A", "B"], [100.0]
parameters["POINT"]["UNITS"]["value"] = ["mm"]
parameters["ANALOG"]["RATE"]["value"] = [1000.0]
parameters["ANALOG"]["LABELS"]["value"] = list("abcdef")
parameters["ANALOG"]["UNITS"]["value"] = ["N", "N", "N", "Nmm", "Nmm", "Nmm"]
parameters["ANALOG"]["SCALE"]["value"], parameters["ANALOG"]["OFFSET"]["value"] = [0.5] * 6, [0] * 6
parameters["ANALOG"]["GEN_SCALE"]["value"] = [0.25]
for name in ("USED", "TYPE", "CORNERS", "ORIGIN", "CHANNEL"):
    file.add_parameter("FORCE_PLATFORM", name, given[name].astype(float))
file.write(sys.argv[2])
"""


def test_what_ezc3d_encoded(walk: Path, tmp_path: Path) -> None:
    group = {name: value for name, value in platform(2)["FORCE_PLATFORM"].items() if name != "ZERO"}
    np.savez(tmp_path / "given.npz", channels=channels(2, rolling()), **group)
    subprocess.run([sys.executable, "-c", WITH_EZC3D, str(tmp_path / "given.npz"), str(walk)], check=True)
    recording = read_c3d(walk)
    assert_right(recording)
    np.testing.assert_allclose(recording.markers_m, 0.1)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("b_moments_in_Nm_labelled_Nmm", "force plate 2 is left out: its moments"),
        ("nm_label_nmm_value", "taken as a thousandth"),
        ("origin_z0_opposite", "ORIGIN is taken as the vector from the surface"),
    ],
)
def test_files_of_another_hand(shared_data: Path, name: str, said: str) -> None:
    recording = read_c3d(shared_data / f"c3d_faults/{name}.c3d")
    assert any(said in warning for warning in recording.warnings)


@pytest.mark.data
@pytest.mark.parametrize("name", ["base", "unsigned16_float", "corners_mm_vs_m", "nm_label_nmm_value"])
def test_numbers_of_another_hand(shared_data: Path, name: str) -> None:
    assert_right(read_c3d(shared_data / f"c3d_faults/{name}.c3d"))
