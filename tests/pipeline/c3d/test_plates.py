from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.c3d.read_c3d import read_c3d
from pipeline.records import Recording
from tests.pipeline.c3d_builder import C3DFile, float32s, int16s, merged, still_points

CORNERS_MM = np.array([[600.0, 0, 0], [0, 0, 0], [0, 400, 0], [600, 400, 0]])
# 700 N up on the body, 100 mm along x and 50 mm along y of the plate from its centre (plate z is down):
# Mx = y Fz, My = -x Fz.
PUSH = np.array([0.0, 0.0, -700.0, 50.0 * -700.0, -100.0 * -700.0, 0.0])
UNITS = ["N", "N", "N", "Nmm", "Nmm", "Nmm"]


def platform(plates: int = 1, **changes: object) -> dict:
    channels = np.arange(1, 6 * plates + 1, dtype="<i2").reshape(plates, 6).T
    group = {
        "USED": int16s(plates),
        "TYPE": int16s(*[2] * plates),
        "CORNERS": np.stack([CORNERS_MM.T] * plates, axis=2).astype("<f4"),
        "ORIGIN": np.zeros((3, plates), dtype="<f4"),
        "CHANNEL": channels,
        "ZERO": int16s(1, 0),
    }
    return {"FORCE_PLATFORM": {**group, **changes}}


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    return tmp_path / "walk.c3d"


def read(
    path: Path,
    *parameters: dict,
    analog: np.ndarray | None = None,
    units: list[str] | None = None,
    **more: int,
) -> Recording:
    samples = np.tile(PUSH, (20, 1)) if analog is None else analog
    stated = merged({"ANALOG": {"UNITS": units or UNITS * (samples.shape[1] // 6)}}, *parameters)
    return read_c3d(C3DFile(points=still_points(), analog=samples, parameters=stated, **more).write(path))


def assert_push(recording: Recording, sample: int = 0) -> None:
    (plate,) = recording.plates
    np.testing.assert_allclose(plate.force_n[sample], [0, 0, 700], atol=1e-4)
    np.testing.assert_allclose(centre_of_pressure(plate)[0][sample], [0.4, 0.15, 0], atol=1e-6)


def test_a_push_in_newtons_and_millimetres(walk: Path) -> None:
    recording = read(walk, platform())
    assert_push(recording)
    assert recording.warnings == ()


@pytest.mark.parametrize(
    ("units", "scale"),
    [
        (["N", "N", "N", "Nm", "Nm", "Nm"], [1, 1, 1, 1e-3, 1e-3, 1e-3]),
        (["N", "N", "N", "N.m", "N·m", "N m"], [1, 1, 1, 1e-3, 1e-3, 1e-3]),
        (["nt", "nt", "nt", "ntmm", "ntmm", "ntmm"], [1, 1, 1, 1, 1, 1]),
        (["kN", "kN", "kN", "Ncm", "Ncm", "Ncm"], [1e-3, 1e-3, 1e-3, 0.1, 0.1, 0.1]),
    ],
)
def test_units_of_force_and_moment_are_the_files(walk: Path, units: list[str], scale: list[float]) -> None:
    assert_push(read(walk, platform(), analog=np.tile(PUSH * scale, (20, 1)), units=units))


def test_corners_are_in_the_unit_of_the_points(walk: Path) -> None:
    metres = platform(CORNERS=(CORNERS_MM.T[:, :, None] / 1000).astype("<f4"))
    assert_push(read(walk, metres, {"POINT": {"UNITS": "m"}}))


@pytest.mark.parametrize("unit", ["V", "", "mV", "au"])
def test_forces_in_no_unit_of_force_are_not_guessed(walk: Path, unit: str) -> None:
    recording = read(walk, platform(), units=["N", "N", unit, "Nmm", "Nmm", "Nmm"])
    assert recording.plates == ()
    (warning,) = recording.warnings
    assert f"force plate 1 is left out: its channel 3 has the unit {unit!r}" in warning


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TYPE": int16s(7)}, "its type is 7"),
        ({"CHANNEL": int16s(1, 2, 3, 4, 5, 60)}, "and the file has 6"),
        ({"CHANNEL": int16s(0, 1, 2, 3, 4, 5)}, "and the file has 6"),
        ({"CHANNEL": None}, "CHANNEL lacks its 6 numbers"),
        ({"CORNERS": None}, "CORNERS lacks its 12 numbers"),
        ({"ORIGIN": float32s(0.0)}, "ORIGIN lacks its 3 numbers"),
        ({"CORNERS": np.zeros((3, 4, 1), dtype="<f4")}, "don't span a surface"),
        ({"TYPE": int16s(4)}, "CAL_MATRIX lacks its 36 numbers"),
    ],
)
def test_a_plate_that_is_described_wrongly_is_left_out_by_name(walk: Path, changes: dict, said: str) -> None:
    recording = read(walk, platform(**changes))
    assert recording.plates == ()
    assert any("force plate 1 is left out" in warning and said in warning for warning in recording.warnings)


def test_one_bad_plate_does_not_cost_the_other(walk: Path) -> None:
    analog = np.tile(np.concatenate([PUSH, PUSH]), (20, 1))
    recording = read(walk, platform(2, TYPE=int16s(9, 2)), analog=analog)
    assert [plate.number for plate in recording.plates] == [2]


@pytest.mark.parametrize(
    "used", [int16s(1), int16s(1).reshape(1, 1), int16s(1).reshape(1, 1, 1)], ids=["1", "1x1", "1x1x1"]
)
def test_used_of_any_shape(walk: Path, used: np.ndarray) -> None:
    assert_push(read(walk, platform(USED=used)))


@pytest.mark.parametrize("group", [platform(USED=int16s(0)), platform(USED=None), {}])
def test_moments_of_no_plate_are_told(walk: Path, group: dict) -> None:
    recording = read(walk, group)
    assert recording.plates == ()
    (warning,) = recording.warnings
    assert "3 analog channels measure moments, and FORCE_PLATFORM states no force plate" in warning


def offset_push() -> np.ndarray:
    analog = np.tile(np.array([1.0, -2.0, 15.0, 40.0, 50.0, 60.0]), (20, 1))
    analog[10:] += PUSH
    return analog


@pytest.mark.parametrize("zero", [(1, 4), (0, 4), (2, 5)])
def test_the_stated_baseline_is_subtracted(walk: Path, zero: tuple[int, int]) -> None:
    recording = read(walk, platform(ZERO=int16s(*zero)), analog=offset_push())
    np.testing.assert_allclose(recording.plates[0].force_n[:10], 0, atol=1e-5)
    assert_push(recording, sample=15)
    np.testing.assert_allclose(recording.analog[0, 2], 15.0)


@pytest.mark.parametrize("zero", [int16s(0, 0), int16s(1, 0), int16s(0, 0).reshape(2, 1), int16s(9, 3), None])
def test_no_baseline_is_subtracted_where_none_is_stated(walk: Path, zero: np.ndarray | None) -> None:
    recording = read(walk, platform(ZERO=zero), analog=offset_push())
    np.testing.assert_allclose(recording.plates[0].force_n[0], [1.0, 2.0, -15.0], atol=1e-5)


def test_a_baseline_outside_the_recording_is_said(walk: Path) -> None:
    recording = read(walk, platform(ZERO=int16s(1, 10)), first_frame=500)
    assert_push(recording)
    assert any("no baseline was subtracted" in warning for warning in recording.warnings)


def test_a_large_baseline_is_said(walk: Path) -> None:
    recording = read(walk, platform(ZERO=int16s(1, 2)))
    assert any("a baseline of 700 N was subtracted" in warning for warning in recording.warnings)


@pytest.mark.parametrize(("order", "matrix"), [("BYCOLUMN", "F"), ("BYROW", "C"), (None, "F")])
def test_the_calibration_matrix_of_type_4(walk: Path, order: str | None, matrix: str) -> None:
    calibration = np.diag([2.0, 2, 10, 1000, 1000, 500]) + np.triu(np.full((6, 6), 0.5), 1)
    volts = np.linalg.solve(calibration, PUSH)
    stored = np.asarray(calibration, dtype="<f4").ravel(order=matrix).reshape((6, 6, 1), order="F")
    four = platform(TYPE=int16s(4), CAL_MATRIX=stored, MATRIX_STORE=order)
    assert_push(read(walk, four, analog=np.tile(volts, (20, 1)), units=["V"] * 6))
