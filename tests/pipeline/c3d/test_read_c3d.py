import csv
import struct
import warnings
from pathlib import Path

import c3d
import ezc3d
import numpy as np
import pytest

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.c3d.header import parse_header
from pipeline.c3d.parameters import read_parameters
from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.records import Event, ForcePlate, Recording
from tests.pipeline.c3d_builder import C3DFile, still_points

GRAVITY = 9.80665
MM = 1e-3


def vertical_n(plate: ForcePlate) -> np.ndarray:
    return plate.force_n @ plate.normal


def inside(plate: ForcePlate, points_m: np.ndarray) -> np.ndarray:
    """Position along the plate's two edges, from -0.5 to 0.5 between its borders, (S, 2)."""
    edges = np.stack([plate.corners_m[0] - plate.corners_m[1], plate.corners_m[1] - plate.corners_m[2]])
    return (points_m - plate.corners_m.mean(axis=0)) @ edges.T / (edges**2).sum(axis=1)


def gait_events(recording: Recording) -> list[Event]:
    return [event for event in recording.events if event.kind != "other"]


def assert_same(first: Recording, second: Recording, metres: float, analog: float) -> None:
    assert first.marker_labels == second.marker_labels
    np.testing.assert_allclose(first.markers_m, second.markers_m, rtol=0, atol=metres)
    np.testing.assert_allclose(first.time_s, second.time_s, rtol=0, atol=1e-9)
    np.testing.assert_allclose(first.analog, second.analog, rtol=0, atol=analog)
    assert first.subject == second.subject
    # One of sample_02's twins lacks the last event, called EOF.
    assert gait_events(first) == gait_events(second)
    assert len(first.plates) == len(second.plates) > 0
    for one, other in zip(first.plates, second.plates, strict=True):
        np.testing.assert_allclose(one.force_n, other.force_n, rtol=0, atol=max(analog, 1e-4))
        np.testing.assert_allclose(one.moment_nm, other.moment_nm, rtol=0, atol=max(analog, 1e-4))
        np.testing.assert_allclose(one.origin_m, other.origin_m, rtol=0, atol=1e-7)


# Built files -------------------------------------------------------------------------------------


def test_a_missing_file_is_a_rejection(tmp_path: Path) -> None:
    with pytest.raises(TrialRejected, match=r"read_c3d: walk\.c3d: the file can't be read"):
        read_c3d(tmp_path / "walk.c3d")


def test_a_file_without_analog_samples_in_its_header(tmp_path: Path) -> None:
    # Files of markers alone often state 0 analog samples a frame, which py-c3d takes for a contradiction.
    recording = read_c3d(C3DFile(points=still_points(), header={"per_frame": 0}).write(tmp_path / "walk.c3d"))
    assert recording.warnings == ()
    np.testing.assert_allclose(recording.markers_m[:, 1], np.tile([0.101, 0.201, 0.301], (10, 1)))


@pytest.mark.parametrize("name", ["mete", "meters", "METRE", "metres", "Meter", "m "])
def test_a_metre_is_spelled_in_several_ways(tmp_path: Path, name: str) -> None:
    recording = read_c3d(
        C3DFile(points=still_points(), parameters={"POINT": {"UNITS": name}}).write(tmp_path / "a.c3d")
    )
    np.testing.assert_allclose(recording.markers_m[0, 0], [100.0, 200.0, 300.0])


def test_a_file_without_points_needs_no_unit_of_length(tmp_path: Path) -> None:
    emg = C3DFile(points=np.empty((10, 0, 4)), analog=np.ones((100, 3)), parameters={"POINT": {"UNITS": None}})
    recording = read_c3d(emg.write(tmp_path / "emg.c3d"))
    assert (recording.markers_m.shape, recording.analog.shape) == ((10, 0, 3), (100, 3))


def test_markers_further_apart_than_a_laboratory_are_refused(tmp_path: Path) -> None:
    points = still_points()
    points[:, 1, 0] += 1500
    with pytest.raises(TrialRejected, match=r"walk\.c3d: its markers lie 1.5e\+03 m apart by POINT:UNITS"):
        read_c3d(C3DFile(points=points, parameters={"POINT": {"UNITS": "m"}}).write(tmp_path / "walk.c3d"))


def test_a_record_without_content_is_left_out(tmp_path: Path) -> None:
    # py-c3d and ezc3d give the whole file up there.
    data = C3DFile(points=still_points(), parameters={"POINT": {"DESCRIPTIONS": [""]}}).content()
    start = 512 * (data[16] - 1)
    at = data.index(b"DESCRIPTIONS") + len("DESCRIPTIONS")
    (step,) = struct.unpack("<h", data[at : at + 2])
    section = data[:at] + struct.pack("<h", 2) + data[at + step : start]
    path = tmp_path / "walk.c3d"
    path.write_bytes(section.ljust(start, b"\0") + data[start:])
    recording = read_c3d(path)
    np.testing.assert_allclose(recording.markers_m[:, 1], np.tile([0.101, 0.201, 0.301], (10, 1)))
    assert recording.warnings == ()


def test_a_group_without_parameters_costs_nothing(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("USED", "RATE", "GEN_SCALE", "SCALE", "OFFSET", "LABELS", "UNITS"))
    file = C3DFile(points=still_points(), parameters={"ANALOG": nothing})
    assert b"ANALOG" in file.content()
    recording = read_c3d(file.write(tmp_path / "walk.c3d"))
    np.testing.assert_allclose(recording.markers_m[:, 1], np.tile([0.101, 0.201, 0.301], (10, 1)))


def walking_points(frames: int = 60) -> np.ndarray:
    points = still_points(frames, 3)
    points[..., 0] += 12.0 * np.arange(frames)[:, None]
    return points


@pytest.mark.parametrize(("held", "said"), [((20, 40), True), ((45, 60), True), ((0, 20), True), ((20, 22), False)])
def test_a_gap_filled_with_the_last_position_is_told(tmp_path: Path, held: tuple[int, int], said: bool) -> None:
    points = walking_points()
    points[slice(*held), 1] = points[held[0], 1]
    recording = read_c3d(C3DFile(points=points).write(tmp_path / "walk.c3d"))
    assert [("M2" in warning and "last seen position" in warning) for warning in recording.warnings] == [True] * said


def test_a_foot_that_rests_and_leaves_slowly_is_not_told(tmp_path: Path) -> None:
    points = walking_points()
    rest = np.concatenate([np.zeros(30), np.cumsum(np.arange(30.0))])
    points[:, 1, 0] = 100.0 + rest
    assert read_c3d(C3DFile(points=points).write(tmp_path / "walk.c3d")).warnings == ()


def test_a_file_cut_anywhere_is_whole_or_rejected(tmp_path: Path) -> None:
    data = C3DFile(points=still_points(40, 6), analog=np.zeros((400, 12))).content()
    whole = read_c3d(C3DFile(points=still_points(40, 6), analog=np.zeros((400, 12))).write(tmp_path / "a.c3d"))
    path = tmp_path / "cut.c3d"
    for size in range(0, len(data), 256):
        path.write_bytes(data[:size])
        try:
            recording = read_c3d(path)
        except TrialRejected as error:
            assert error.stage == "read_c3d"
            assert "cut.c3d" in error.reason
        else:
            # Only the padding after the last frame can be lost without loss.
            np.testing.assert_array_equal(recording.markers_m, whole.markers_m)
            assert size > len(data) - 512


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_is_read_or_rejected_and_nothing_else(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    data = C3DFile(points=still_points(5, 3), analog=np.zeros((50, 6))).content()
    path = tmp_path / "damaged.c3d"
    rejected = 0
    for _ in range(100):
        damaged = bytearray(data)
        for position in random.integers(0, len(data), size=3):
            damaged[position] = random.integers(0, 256)
        path.write_bytes(bytes(damaged))
        try:
            read_c3d(path)
        except TrialRejected:
            rejected += 1
    assert 0 < rejected < 100


# Recordings --------------------------------------------------------------------------------------


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("walking_adults/2014001/2014001_C4_05.c3d", 156),
        ("walking_children/HC002D/HC002D06.c3d", 255),
        ("opensim_reference/c3d/walking5.c3d", 1103),
        ("c3d_variants/sample_18/bad_parameter_section.c3d", 332),
        ("c3d_variants/sample_02/sgi_real.c3d", 89),
    ],
)
def test_a_recording_cut_at_every_kilobyte(shared_data: Path, tmp_path: Path, name: str, frames: int) -> None:
    data = (shared_data / name).read_bytes()
    path = tmp_path / "cut.c3d"
    for size in range(0, len(data), 1024):
        path.write_bytes(data[:size])
        try:
            recording = read_c3d(path)
        except TrialRejected as error:
            assert "cut.c3d" in error.reason
        else:
            assert len(recording.time_s) == frames


@pytest.mark.data
def test_a_parameter_section_that_runs_into_the_data_is_refused_by_name(shared_data: Path) -> None:
    with pytest.raises(TrialRejected, match=r"bad_parameter_section\.c3d: its parameter section is broken at byte"):
        read_c3d(shared_data / "c3d_variants/sample_18/bad_parameter_section.c3d")


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "reference", "twins"),
    [
        ("sample_01", "Eb015pr", ("Eb015pi", "Eb015si", "Eb015sr", "Eb015vi", "Eb015vr")),
        ("sample_02", "pc_real", ("pc_int", "dec_int", "dec_real", "sgi_int", "sgi_real")),
        ("sample_08", "EB015PI", ("TESTAPI", "TESTBPI", "TESTCPI", "TESTDPI")),
    ],
)
def test_twins_in_other_formats_are_equal(
    shared_data: Path, folder: str, reference: str, twins: tuple[str, ...]
) -> None:
    directory = shared_data / "c3d_variants" / folder
    whole = read_c3d(directory / f"{reference}.c3d")
    for twin in twins:
        # An integer step of these files is 0.08 mm (sample_01) and 0.28 mm (sample_02).
        assert_same(whole, read_c3d(directory / f"{twin}.c3d"), metres=0.3 * MM, analog=1e-3)


@pytest.mark.data
def test_one_walk_as_type_2_and_as_type_4(shared_data: Path) -> None:
    two = read_c3d(shared_data / "c3d_variants/sample_10/TYPE-2a.c3d").plates
    four = read_c3d(shared_data / "c3d_variants/sample_10/TYPE-4a.c3d").plates
    assert [plate.type for plate in (*two, *four)] == [2, 2, 4, 4]
    for one, other in zip(two, four, strict=True):
        # They differ by the cross-talk that only the matrix corrects: under 1 % of the load.
        np.testing.assert_allclose(vertical_n(one), vertical_n(other), atol=0.01 * vertical_n(one).max())
        loaded = vertical_n(one) > 200
        apart = centre_of_pressure(one)[0][loaded] - centre_of_pressure(other)[0][loaded]
        assert np.abs(apart).max() < 0.003


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("sample_10/TYPE-3.c3d", [3, 3, 2, 2]),
        ("FP_Type3.c3d", [3, 3]),
        ("BTS.c3d", [2] * 6),
        ("Qualisys.c3d", [2, 2]),
    ],
)
def test_plates_of_other_laboratories_carry_a_walker(shared_data: Path, name: str, types: list[int]) -> None:
    recording = read_c3d(shared_data / "c3d_variants" / name)
    assert [plate.type for plate in recording.plates] == types
    walked = [plate for plate in recording.plates if vertical_n(plate).max() > 100]
    assert walked
    for plate in walked:
        assert 400 < vertical_n(plate).max() < 1000
        assert vertical_n(plate).min() > -0.05 * vertical_n(plate).max()
        loaded = vertical_n(plate) > 100
        cop_m = centre_of_pressure(plate)[0][loaded]
        assert np.abs(inside(plate, cop_m)).max() < 0.5
        assert np.abs((cop_m - plate.corners_m.mean(axis=0)) @ plate.normal).max() < 1e-9


@pytest.mark.data
def test_qualisys_events_without_contexts(shared_data: Path) -> None:
    recording = read_c3d(shared_data / "c3d_variants/Qualisys.c3d")
    assert [(event.side, event.kind) for event in recording.events[:4]] == [
        ("left", "foot_strike"),
        ("right", "foot_off"),
        ("right", "foot_strike"),
        ("left", "foot_off"),
    ]
    assert recording.time_s[0] == pytest.approx(704 / 200)
    assert all(recording.time_s[0] < event.time_s < recording.time_s[-1] + 0.01 for event in recording.events)


@pytest.mark.data
@pytest.mark.parametrize("name", ["pc_real", "dec_real", "sgi_real"])
def test_events_of_the_header(shared_data: Path, name: str) -> None:
    recording = read_c3d(shared_data / f"c3d_variants/sample_02/{name}.c3d")
    strikes = [(event.label, event.side) for event in recording.events if event.kind == "foot_strike"]
    assert strikes == [("RHS", "right"), ("LHS", "left")]
    # The foot that strikes does so when its plate begins to carry it.
    strike = next(event for event in recording.events if event.label == "RHS")
    plate_time_s = recording.time_s[0] + np.arange(len(recording.analog)) / recording.analog_rate_hz
    first_load_s = min(plate_time_s[vertical_n(plate) > 20].min() for plate in recording.plates)
    assert strike.time_s == pytest.approx(first_load_s, abs=0.05)


@pytest.mark.data
def test_repeated_labels_are_told_apart(shared_data: Path) -> None:
    recording = read_c3d(shared_data / "c3d_variants/duplicate_labels.c3d")
    assert len(set(recording.marker_labels)) == 48
    assert "marker labels repeat" in recording.warnings[0]


# sgi_* and s[ir] are MIPS files, which ezc3d does not read.
READ_BY_BOTH = (
    "walking_adults/2014001/2014001_C4_05.c3d",
    "walking_adults/2014001/2014001_ST.c3d",
    "walking_children/HC002D/HC002D06.c3d",
    "opensim_reference/c3d/walking5.c3d",
    "c3d_variants/sample_01/Eb015vi.c3d",
    "c3d_variants/sample_01/Eb015pr.c3d",
    "c3d_variants/sample_02/dec_real.c3d",
    "c3d_variants/sample_10/TYPE-3.c3d",
    "c3d_variants/Qualisys.c3d",
)


@pytest.mark.data
@pytest.mark.parametrize("name", READ_BY_BOTH)
def test_both_libraries_frames_are_ours(shared_data: Path, name: str) -> None:
    path = shared_data / name
    recording = read_c3d(path)
    names = [label.strip() for label in stored_labels(path)]
    columns = [names.index(label) for label in recording.marker_labels if label in names]
    ours = recording.markers_m[:, [label in names for label in recording.marker_labels]] / MM
    assert len(columns) > 20

    theirs = ezc3d.c3d(str(path))["data"]
    np.testing.assert_allclose(ours, theirs["points"][:3].transpose(2, 1, 0)[:, columns], rtol=1e-6, atol=1e-6)
    analog = theirs["analogs"][0].T
    np.testing.assert_allclose(recording.analog, analog.reshape(recording.analog.shape), rtol=1e-5, atol=1e-9)

    with path.open("rb") as handle, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frames = list(c3d.Reader(handle).read_frames())
    points = np.stack([points for _, points, _ in frames])[:, columns]
    seen = np.where(points[..., 3:4] < 0, np.nan, points[..., :3])
    np.testing.assert_allclose(ours, seen, rtol=1e-6, atol=1e-6)
    if recording.analog.size:
        by_frame = np.concatenate([analog.T for _, _, analog in frames])
        np.testing.assert_allclose(recording.analog, by_frame, rtol=1e-5, atol=1e-9)


def stored_labels(path: Path) -> list[str]:
    points = ezc3d.c3d(str(path))["parameters"]["POINT"]
    return [label for name in ("LABELS", "LABELS2") if name in points for label in points[name]["value"]]


@pytest.mark.data
@pytest.mark.parametrize("name", READ_BY_BOTH)
def test_ezc3d_reads_the_same_parameters(shared_data: Path, name: str) -> None:
    data = (shared_data / name).read_bytes()
    ours = read_parameters(data, parse_header(data, name), name).values
    theirs = {
        f"{group}:{parameter}".upper(): content["value"]
        for group, parameters in ezc3d.c3d(str(shared_data / name))["parameters"].items()
        for parameter, content in parameters.items()
        if parameter != "__METADATA__"
    }
    assert len(set(theirs) & set(ours)) > 20
    for key, value in theirs.items():
        if key not in ours:
            # What ezc3d adds to every file.
            assert np.size(value) == 0 or key in ("POINT:LONG_FRAMES", "POINT:DATA_START")
        elif isinstance(value, list):
            stripped = [text.strip() for text in value]
            assert stripped == list(ours[key]) or not any(stripped), key
        else:
            np.testing.assert_array_equal(np.ravel(value), np.ravel(ours[key]), err_msg=key)


def adults(shared_data: Path) -> dict[str, dict[str, str]]:
    with (shared_data / "walking_adults/anthropometrics.csv").open(encoding="utf-8-sig") as handle:
        return {row["subjectID"]: row for row in csv.DictReader(handle)}


@pytest.mark.data
def test_adults_stand_on_one_plate_with_their_weight(shared_data: Path) -> None:
    people = adults(shared_data)
    walks = [path for path in sorted((shared_data / "walking_adults").glob("2*/*_C?_*.c3d"))]
    assert len(walks) == 12
    for path in walks:
        recording = read_c3d(path)
        mass_kg = float(people[path.parent.name]["mass"])
        assert recording.subject.mass_kg == pytest.approx(mass_kg, abs=0.05)
        assert recording.subject.sex == {"M": "M", "W": "F"}[people[path.parent.name]["gender"]]
        assert [plate.type for plate in recording.plates] == [2, 2]
        assert recording.warnings == ()
        for plate in recording.plates:
            on_plate = vertical_n(plate) > 50
            # Over a whole stance a walking foot carries 75 to 95 % of body weight on average, and peaks above
            # it.
            weight_n = mass_kg * GRAVITY
            assert 0.7 < vertical_n(plate)[on_plate].mean() / weight_n < 1.0
            assert 1.0 < vertical_n(plate).max() / weight_n < 1.6
            assert np.abs(inside(plate, centre_of_pressure(plate)[0][on_plate])).max() < 0.5


@pytest.mark.data
@pytest.mark.parametrize("child", ["HC002D", "HC030A", "HC031A"])
def test_children_stand_on_a_plate_with_their_weight(shared_data: Path, child: str) -> None:
    recording = read_c3d(shared_data / "walking_children" / child / "static.c3d")
    mass_kg = recording.subject.mass_kg
    assert mass_kg is not None
    standing_n = sum(vertical_n(plate).mean() for plate in recording.plates)
    assert standing_n / (mass_kg * GRAVITY) == pytest.approx(1.0, abs=0.05)


@pytest.mark.data
def test_a_child_with_plug_in_gait(shared_data: Path) -> None:
    recording = read_c3d(shared_data / "walking_children/HC002D/HC002D06.c3d")
    assert len(recording.marker_labels) + len(recording.model_outputs) == 286
    assert {"LASI", "RASI", "SACR"} & set(recording.marker_labels)
    assert recording.time_s[0] == pytest.approx(1.23)
    hip = recording.model_outputs["RHipMoment"]
    assert (hip.kind, hip.unit, hip.values.shape) == ("moment", "Nmm", (255, 3))
    assert recording.model_outputs["RHipAngles"].unit == "deg"
    assert recording.subject.height_m == pytest.approx(1.45)
    strikes = [event for event in recording.events if event.kind == "foot_strike"]
    offs = [event for event in recording.events if event.kind == "foot_off"]
    assert len(strikes) == len(offs) == 6
