from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.metadata import unique_labels
from pipeline.c3d.read_c3d import read_c3d
from pipeline.records import Recording
from tests.pipeline.c3d_builder import C3DFile, float32s, int16s, still_points


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    return tmp_path / "walk.c3d"


def read(path: Path, parameters: dict, points: np.ndarray | None = None) -> Recording:
    stored = still_points() if points is None else points
    return read_c3d(C3DFile(points=stored, parameters=parameters).write(path))


def events(labels: list[str], contexts: list[str], times: list[list[float]]) -> dict:
    stored = np.array(times, dtype="<f4").T
    return {"EVENT": {"USED": int16s(len(labels)), "LABELS": labels, "CONTEXTS": contexts, "TIMES": stored}}


@pytest.mark.parametrize(
    ("label", "context", "kind", "side"),
    [
        ("Foot Strike", "Right", "foot_strike", "right"),
        ("Foot Strike1", "Left", "foot_strike", "left"),
        ("Foot Off", "Left", "foot_off", "left"),
        ("Heel Strike", "Right", "foot_strike", "right"),
        ("Initial Contact", "Left", "foot_strike", "left"),
        ("Toe-Off", "Right", "foot_off", "right"),
        ("FS", "Right", "foot_strike", "right"),
        ("TO", "Left", "foot_off", "left"),
        ("LHS", "", "foot_strike", "left"),
        ("RTO", "", "foot_off", "right"),
        ("Left_Foot_Off", "", "foot_off", "left"),
        ("FS_R2", "", "foot_strike", "right"),
        ("Foot Strike", "General", "foot_strike", "general"),
        ("Event", "General", "other", "general"),
        ("Fall", "Left", "other", "left"),
    ],
)
def test_event_labels(walk: Path, label: str, context: str, kind: str, side: str) -> None:
    (event,) = read(walk, events([label], [context], [[0.0, 1.5]])).events
    assert (event.kind, event.side, event.label) == (kind, side, label)


def test_event_times_are_minutes_and_seconds_and_sorted(walk: Path) -> None:
    recording = read(walk, events(["FS", "TO"], ["Left", "Left"], [[2.0, 3.25], [0.0, 4.5]]))
    assert [(event.label, event.time_s) for event in recording.events] == [("TO", 4.5), ("FS", 123.25)]


def test_fewer_times_than_events_is_said(walk: Path) -> None:
    stated = events(["FS", "TO"], ["Left", "Left"], [[0.0, 1.0]])
    recording = read(walk, stated)
    assert len(recording.events) == 1
    assert any("EVENT:USED states 2 events" in warning for warning in recording.warnings)


def subject(unit: str = "kg", gender: float = 0.0) -> dict:
    return {
        "SUBJECT": {
            "LABELS": ["age", "gender", "weight", "height"],
            "UNITS": ["years", "adimensioned (0: woman, 1: man)", unit, "cm"],
            "VALUES": float32s(44.0, gender, 65.0, 169.0),
        }
    }


def test_a_labelled_subject_block(walk: Path) -> None:
    block = read(walk, subject()).subject
    assert (block.mass_kg, block.age_y, block.sex) == (65.0, 44.0, "F")
    assert block.height_m == pytest.approx(1.69)
    assert read(walk, subject(gender=1.0)).subject.sex == "M"
    assert read(walk, subject(gender=2.0)).subject.sex is None


def test_a_mass_in_an_unknown_unit_is_not_guessed(walk: Path) -> None:
    recording = read(walk, subject(unit="stone"))
    assert recording.subject.mass_kg is None
    assert any("'stone'" in warning for warning in recording.warnings)


def test_plug_in_gait_measurements(walk: Path) -> None:
    block = read(walk, {"PROCESSING": {"BODYMASS": float32s(32.1), "HEIGHT": float32s(1450.0)}}).subject
    assert (block.mass_kg, block.height_m) == (pytest.approx(32.1), pytest.approx(1.45))
    nothing = read(walk, {"PROCESSING": {"BODYMASS": float32s(0.0), "HEIGHT": float32s(0.0)}}).subject
    assert (nothing.mass_kg, nothing.height_m) == (None, None)


def test_names_and_birth_dates_do_not_leave_the_reader(walk: Path) -> None:
    stated = {
        "SUBJECTS": {"USED": int16s(1), "USES_PREFIXES": int16s(1), "NAMES": ["Ada Lovelace"]},
        "SUBJECT": {"DATE_OF_BIRTH": "10/12/1815"},
        "POINT": {"LABELS": ["Ada Lovelace:LASI", "Ada Lovelace:RASI"]},
    }
    recording = read(walk, stated)
    assert recording.marker_labels == ("LASI", "RASI")
    # sha256 of the name, computed with sha256sum
    assert recording.subject.fingerprint == "767402161715"
    assert "Lovelace" not in repr(recording)
    assert "1815" not in repr(recording)


def test_two_peoples_files_have_different_fingerprints(walk: Path) -> None:
    codes = {read(walk, {"SUBJECTS": {"NAMES": [name]}}).subject.fingerprint for name in ("P1", "P2")}
    assert len(codes) == 2


def test_two_subjects_in_one_file_are_numbered(walk: Path) -> None:
    recording = read(walk, {"POINT": {"LABELS": ["Ada:LASI", "Byron:LASI"]}})
    assert recording.marker_labels == ("1:LASI", "2:LASI")


def test_repeated_and_missing_labels() -> None:
    labels, warnings = unique_labels(["LASI", "LASI", "", "LASI"], 5, "marker")
    assert labels == ("LASI", "LASI_2", "marker_3", "LASI_3", "marker_5")
    assert "LASI" in warnings[0]
    assert "2 of 5" in warnings[1]


def test_labels_continue_in_a_second_parameter(walk: Path) -> None:
    recording = read(walk, {"POINT": {"LABELS": ["A"], "LABELS2": ["B"]}})
    assert recording.marker_labels == ("A", "B")


def test_model_outputs_are_no_markers(walk: Path) -> None:
    points = still_points(10, 3)
    points[:, 1, :3] = [0.0, 0.0, 0.0]
    points[4, 1] = [0.0, 0.0, 0.0, -1.0]
    stated = {
        "POINT": {
            "LABELS": ["LASI", "LHipAngles", "RASI"],
            "ANGLES": ["LHipAngles", "RHipAngles"],
            "ANGLE_UNITS": "deg",
        }
    }
    recording = read(walk, stated, points)
    assert recording.marker_labels == ("LASI", "RASI")
    np.testing.assert_allclose(recording.marker("RASI")[0], [0.102, 0.202, 0.302])
    output = recording.model_outputs["LHipAngles"]
    assert (output.kind, output.unit) == ("angle", "deg")
    # An angle of zero is a measurement; one that was not computed is not.
    assert np.isnan(output.values).all(axis=1).tolist() == [False] * 4 + [True] + [False] * 5
    assert recording.warnings == ()
