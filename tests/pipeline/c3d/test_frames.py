from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.records import Recording
from tests.pipeline.c3d_builder import C3DFile, float32s, int16s, still_points


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    return tmp_path / "walk.c3d"


def read(path: Path, **changes: object) -> Recording:
    content: dict = {"points": still_points(), **changes}
    return read_c3d(C3DFile(**content).write(path))


def test_metres_and_the_time_of_a_frame(walk: Path) -> None:
    recording = read(walk, first_frame=124)
    np.testing.assert_allclose(recording.markers_m[:, 0], np.tile([0.1, 0.2, 0.3], (10, 1)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(recording.time_s, (np.arange(10) + 123) / 100, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("unit", "metres"), [("mm", 0.1), ("cm", 1.0), ("m", 100.0), ("MM", 0.1)])
def test_the_unit_is_the_files(walk: Path, unit: str, metres: float) -> None:
    recording = read(walk, parameters={"POINT": {"UNITS": unit}})
    assert recording.markers_m[0, 0, 0] == pytest.approx(metres)


@pytest.mark.parametrize("unit", [None, "", "inch", "furlong"])
def test_an_unknown_unit_is_refused(walk: Path, unit: str | None) -> None:
    with pytest.raises(TrialRejected, match=r"read_c3d: walk\.c3d: POINT:UNITS is .* expected one of mm, cm, m"):
        read(walk, parameters={"POINT": {"UNITS": unit}})


@pytest.mark.parametrize("lost", [(0, 0, 0, -1), (5, 6, 7, -1), (np.nan, 1, 2, 0), (1, 2, 3, np.nan)])
def test_a_point_that_was_not_seen_is_nan(walk: Path, lost: tuple[float, ...]) -> None:
    points = still_points()
    points[3, 1] = lost
    recording = read(walk, points=points)
    missing = np.isnan(recording.markers_m).all(axis=2)
    assert np.argwhere(missing).tolist() == [[3, 1]]
    assert recording.warnings == ()


def test_three_zeros_are_missing_and_said(walk: Path) -> None:
    points = still_points()
    points[2:5, 0, :3] = 0
    recording = read(walk, points=points)
    assert np.isnan(recording.marker("M1")).all(axis=1).sum() == 3
    assert "3 marker positions are exactly 0 0 0 (M1)" in recording.warnings[0]


def test_integer_coordinates_are_scaled(walk: Path) -> None:
    points = still_points()
    recording = read(walk, points=points, scale=0.25)
    np.testing.assert_allclose(recording.markers_m[:, 0, 2], 0.3 * 0.25)


def test_analog_is_offset_then_scaled(walk: Path) -> None:
    analog = np.array([[100.0, 7.0], [300.0, 9.0]] * 10)
    analog_group = {"GEN_SCALE": float32s(0.5), "SCALE": float32s(-4.0, 2.0), "OFFSET": int16s(200, 7)}
    recording = read(walk, analog=analog, parameters={"ANALOG": analog_group})
    np.testing.assert_allclose(recording.analog[:2], [[200.0, 0.0], [-200.0, 2.0]])
    assert (recording.analog_rate_hz, recording.analog.shape) == (200.0, (20, 2))


def test_unsigned_analog(walk: Path) -> None:
    stored = np.array([[40000.0], [65535.0]] * 10)
    analog = np.where(stored > 32767, stored - 65536, stored)
    group = {"FORMAT": "UNSIGNED", "OFFSET": int16s(32768 - 65536)}
    recording = read(walk, analog=analog, scale=0.5, parameters={"ANALOG": group})
    np.testing.assert_array_equal(recording.analog[:2, 0], [40000 - 32768, 65535 - 32768])


def test_an_unsigned_offset_in_a_file_of_floats(walk: Path) -> None:
    # Vicon Workstation 5 stores the 32768 of its converter, as a parameter of 16 bits holds it, beside floats.
    analog = np.array([[32768.0 + 700, 2.0], [32768.0, 3.0]] * 10)
    group = {"FORMAT": "UNSIGNED", "OFFSET": int16s(-32768, -5)}
    recording = read(walk, analog=analog, parameters={"ANALOG": group})
    np.testing.assert_array_equal(recording.analog[:2], [[700.0, 7.0], [0.0, 8.0]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_sample_that_is_no_number_is_unknown_and_said(walk: Path, value: float) -> None:
    analog = np.full((20, 3), 5.0)
    analog[7, 1] = value
    recording = read(walk, analog=analog)
    assert np.argwhere(np.isnan(recording.analog)).tolist() == [[7, 1]]
    (warning,) = recording.warnings
    assert "1 analog samples are not a number, infinite or absurdly large (channels 2)" in warning


@pytest.mark.parametrize("scale", [0.0, np.inf, np.nan])
def test_a_general_scale_of_nothing_is_no_scale(walk: Path, scale: float) -> None:
    recording = read(walk, analog=np.full((20, 2), 5.0), parameters={"ANALOG": {"GEN_SCALE": float32s(scale)}})
    assert recording.analog_units == ("", "")
    assert any("missing, zero or infinite for 2 of 2 channels" in warning for warning in recording.warnings)


def test_a_channel_scaled_by_zero_has_no_unit(walk: Path) -> None:
    recording = read(walk, analog=np.full((20, 2), 5.0), parameters={"ANALOG": {"SCALE": float32s(2.0, 0.0)}})
    assert recording.analog_units == ("V", "")
    np.testing.assert_array_equal(recording.analog[0], [10.0, 5.0])


def test_a_header_that_counts_channels_instead_of_values(walk: Path) -> None:
    analog = np.arange(60.0).reshape(30, 2)
    recording = read(walk, analog=analog, header={"analog": 2})
    np.testing.assert_array_equal(recording.analog, analog)
    np.testing.assert_allclose(recording.markers_m[:, 1], np.tile([0.101, 0.201, 0.301], (10, 1)))
    assert "the header counts 2 analog values a frame, which are its channels" in recording.warnings[0]


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(None, [5.0, 5.0]), (int16s(3), [2.0, 5.0]), (float32s(3.0, 1.0), [2.0, 4.0]), ("none", [5.0, 5.0])],
)
def test_a_malformed_offset_is_repaired_and_said(
    walk: Path, offset: np.ndarray | str | None, expected: list[float]
) -> None:
    recording = read(walk, analog=np.full((10, 2), 5.0), parameters={"ANALOG": {"OFFSET": offset}})
    np.testing.assert_array_equal(recording.analog[0], expected)
    complete = isinstance(offset, np.ndarray) and offset.size == 2
    assert any("ANALOG:OFFSET" in warning for warning in recording.warnings) != complete


@pytest.mark.parametrize("name", ["SCALE", "GEN_SCALE"])
def test_analog_without_a_scale_has_no_unit(walk: Path, name: str) -> None:
    recording = read(walk, analog=np.full((10, 2), 5.0), parameters={"ANALOG": {name: None}})
    assert recording.analog_units == ("", "")
    assert any("without a unit" in warning for warning in recording.warnings)


FRAMES = 70000


@pytest.mark.parametrize(
    "parameters",
    [
        {
            "TRIAL": {
                "ACTUAL_START_FIELD": int16s(1, 0),
                "ACTUAL_END_FIELD": int16s(FRAMES - 65536, 1),
            }
        },
        {"POINT": {"LONG_FRAMES": float32s(FRAMES)}},
        {"POINT": {"FRAMES": float32s(FRAMES)}},
    ],
    ids=["actual_end_field", "long_frames", "float_frames"],
)
def test_more_frames_than_sixteen_bits_count(walk: Path, parameters: dict) -> None:
    points = still_points(FRAMES, 1)
    points[:, 0, 0] = np.arange(FRAMES) + 1
    recording = read(walk, points=points, parameters=parameters)
    assert len(recording.time_s) == FRAMES
    assert recording.markers_m[-1, 0, 0] == pytest.approx(FRAMES / 1000)


def test_long_recording_that_begins_late(walk: Path) -> None:
    trial = {"ACTUAL_START_FIELD": int16s(4464, 1), "ACTUAL_END_FIELD": int16s(4473, 1)}
    recording = read(walk, first_frame=70000, parameters={"TRIAL": trial})
    assert len(recording.time_s) == 10
    assert recording.time_s[0] == pytest.approx(699.99)


def test_the_files_size_decides_between_counts_of_frames(walk: Path) -> None:
    recording = read(walk, points=still_points(200, 5), parameters={"POINT": {"FRAMES": int16s(150)}})
    assert len(recording.time_s) == 200
    assert any("number of frames disagree" in warning for warning in recording.warnings)


def test_frames_that_the_size_does_not_confirm_are_refused(walk: Path) -> None:
    with pytest.raises(TrialRejected, match="statements of the number of frames disagree"):
        read(
            walk,
            points=still_points(200, 5),
            parameters={"POINT": {"FRAMES": int16s(150)}},
            header={"last": 170},
        )


def test_a_truncated_file_says_what_it_has(walk: Path) -> None:
    whole = C3DFile(points=still_points(200, 5)).content()
    walk.write_bytes(whole[: len(whole) - 1024])
    with pytest.raises(TrialRejected, match=rf"truncated: it has {len(whole) - 1024} bytes, and 200 frames need"):
        read_c3d(walk)


@pytest.mark.parametrize("block", [b"\0" * 512, b"\1" * 512])
def test_an_inserted_block_is_found_whatever_the_file_states(walk: Path, block: bytes) -> None:
    file = C3DFile(points=still_points(200, 5), analog=np.ones((2000, 6)))
    data = file.content()
    start = 512 * (data[16] - 1)
    walk.write_bytes(data[:start] + block + data[start:])
    with pytest.raises(TrialRejected, match=r"bytes follow its 200 frames.*its size does not fit"):
        read_c3d(walk)


def test_a_saturated_count_is_told_by_the_size(walk: Path) -> None:
    points = still_points(FRAMES, 33)
    points[:, 0, 0] = np.arange(FRAMES) + 1
    recording = read(walk, points=points, parameters={"POINT": {"FRAMES": int16s(-1)}})
    assert len(recording.time_s) == FRAMES
    assert f"its size tells {FRAMES}" in recording.warnings[0]


def test_a_saturated_count_of_small_frames_is_refused(walk: Path) -> None:
    # The padding of the last block may be several frames, or none.
    with pytest.raises(TrialRejected, match="don't tell the number"):
        read(walk, points=still_points(FRAMES, 1), parameters={"POINT": {"FRAMES": int16s(-1)}})


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"POINT": {"RATE": float32s(120.0)}}, "POINT:RATE 120 Hz"),
        ({"POINT": {"USED": int16s(3)}}, "POINT:USED 3"),
        ({"ANALOG": {"USED": int16s(3)}}, "ANALOG:USED 3"),
        ({"ANALOG": {"RATE": float32s(150.0)}}, "ANALOG:RATE is 150 Hz"),
    ],
)
def test_contradictions_are_refused(walk: Path, parameters: dict, said: str) -> None:
    with pytest.raises(TrialRejected, match=said):
        read(walk, analog=np.zeros((20, 2)), parameters=parameters)


def test_an_integer_file_with_two_scales_is_refused(walk: Path) -> None:
    with pytest.raises(TrialRejected, match="POINT:SCALE"):
        read(walk, scale=0.25, parameters={"POINT": {"SCALE": float32s(0.5)}})
