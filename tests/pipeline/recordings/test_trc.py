"""TRC files whose numbers are known, and files that must be refused with the true reason."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.errors import TrialRejected
from pipeline.recordings.read_recording import labels_in
from pipeline.recordings.trc import read_trc
from tests.pipeline.recordings.trc_text import LABELS, place_mm, trc_text


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, encoding="utf-8"):
        path = tmp_path / "walk.trc"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return read_trc(path)

    return write_and_read


def expected_m(n_frames=4, n_markers=3):
    return np.array([place_mm(*index) for index in np.ndindex(n_frames, n_markers, 3)]).reshape(-1, n_markers, 3) / 1000


def test_labels_times_and_places(read):
    recording = read(trc_text())
    assert recording.marker_labels == LABELS
    assert recording.point_rate_hz == 100
    np.testing.assert_allclose(recording.time_s, [0, 0.01, 0.02, 0.03])
    np.testing.assert_allclose(recording.markers_m, expected_m(), rtol=1e-12)
    assert recording.plates == ()
    assert recording.warnings == ()


@pytest.mark.parametrize(("units", "metres"), [("mm", 1e-3), ("cm", 1e-2), ("m", 1.0), ("Millimeters", 1e-3)])
def test_the_unit_is_the_headers(read, units, metres):
    np.testing.assert_allclose(read(trc_text(units=units)).markers_m, expected_m() * 1000 * metres, rtol=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\t\t\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n\n", "\n"),
        lambda text: re.sub(r"^100\t100\t", "  100.0\t\t  100.0\t\t    ", text, flags=re.MULTILINE),
        lambda text: text.replace("Frame#\tTime\t", "Frame#\tTime\t\t\t"),
        lambda text: text.replace("R.ASIS", "Ada:R.ASIS").replace("L.ASIS", "Ada:L.ASIS").replace("R.H", "Ada:R.H"),
        lambda text: text.rstrip("\n"),
    ],
    ids=[
        "Windows line ends",
        "trailing tabs",
        "byte order mark",
        "no blank line",
        "doubled tabs",
        "labels over the third column",
        "a subject's prefix",
        "no line end at the end",
    ],
)
def test_the_same_file_as_programs_write_it(read, change):
    recording = read(change(trc_text()))
    assert recording.marker_labels == LABELS
    np.testing.assert_allclose(recording.markers_m, expected_m(), rtol=1e-12)


@pytest.mark.parametrize("empty", ["", "NaN", "nan", "-nan(ind)", " "])
def test_an_empty_cell_is_that_markers_gap_and_moves_no_other(read, empty):
    # The first marker's three cells of the second frame, and one of the third marker's in the third frame.
    rows = trc_text().split("\n")
    second, third = rows[7].split("\t"), rows[8].split("\t")
    second[2:5] = [empty] * 3
    third[9] = empty
    rows[7], rows[8] = "\t".join(second), "\t".join(third)
    expected = expected_m()
    expected[1, 0] = np.nan
    expected[2, 2] = np.nan
    np.testing.assert_allclose(read("\n".join(rows)).markers_m, expected, rtol=1e-12)


def test_a_row_whose_last_empty_cells_were_trimmed_is_read(read):
    rows = trc_text().split("\n")
    rows[7] = "\t".join(rows[7].split("\t")[:-3])
    expected = expected_m()
    expected[1, 2] = np.nan
    np.testing.assert_allclose(read("\n".join(rows)).markers_m, expected, rtol=1e-12)


def test_a_marker_without_a_label_keeps_its_place(read):
    recording = read(trc_text().replace("L.ASIS", ""))
    assert recording.marker_labels == labels_in(recording.path) == ("R.ASIS", "marker_2", "R.Heel")
    np.testing.assert_allclose(recording.markers_m, expected_m(), rtol=1e-12)
    assert "no label" in recording.warnings[0]


def test_repeated_labels_get_a_number(read):
    recording = read(trc_text(labels=("RASI", "RASI", "LASI")))
    assert recording.marker_labels == ("RASI", "RASI_2", "LASI")
    assert "RASI" in recording.warnings[0]


def test_labels_that_are_no_utf8_are_windows_own(read):
    recording = read(trc_text(labels=("Hüfte", "L.ASIS", "R.Heel")), encoding="cp1252")
    assert recording.marker_labels[0] == "Hüfte"
    assert any("UTF-8" in warning for warning in recording.warnings)


def test_utf16_as_windows_editors_save_it(read):
    assert read(trc_text(), encoding="utf-16").marker_labels == LABELS


def test_frames_that_begin_later_keep_their_time(read):
    recording = read(trc_text(first_frame=201))
    np.testing.assert_allclose(recording.time_s, [2.0, 2.01, 2.02, 2.03])


def test_times_of_few_digits_are_put_on_the_rates_grid(read):
    # 60 Hz to the millisecond, as gait2354's walk has it.
    rows = trc_text(n_frames=150, rate_hz=60).split("\n")
    for index in range(6, 156):
        cells = rows[index].split("\t")
        cells[1] = f"{float(cells[1]):.3f}"
        rows[index] = "\t".join(cells)
    np.testing.assert_allclose(read("\n".join(rows)).time_s, np.arange(150) / 60, rtol=1e-12)


def test_three_zeros_are_a_missing_marker(read):
    positions = expected_m() * 1000
    positions[1, 1] = 0
    recording = read(trc_text(positions=positions))
    assert np.isnan(recording.markers_m[1, 1]).all()
    assert np.isfinite(recording.markers_m[0]).all()
    assert "0 0 0 (L.ASIS)" in recording.warnings[0]


def test_other_counts_than_stated_are_told(read):
    recording = read(trc_text().replace("\t4\t3\tmm", "\t300\t3\tmm"))
    assert len(recording.time_s) == 4
    assert "NumFrames says 300, and the file holds 4" in recording.warnings[0]


def test_without_a_stated_rate_it_is_the_times_own(read):
    recording = read(trc_text().replace("\n100\t100\t", "\n0\t100\t"))
    assert recording.point_rate_hz == pytest.approx(100)
    assert "no DataRate" in recording.warnings[0]


def without_row(text, number):
    rows = text.split("\n")
    return "\n".join(rows[:number] + rows[number + 1 :])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (trc_text(units=""), "Units is '', expected one of mm"),
        (trc_text(units="inches"), "Units is 'inches'"),
        (
            trc_text(n_frames=150).replace("\n100\t", "\n120\t", 1),
            "DataRate is 120 Hz, and its Time column has 100",
        ),
        (without_row(trc_text(n_frames=40), 26), "time steps are uneven .* Rows are missing"),
        (trc_text().replace("\t0.02000\t", "\t0.01000\t"), "from 0.01 to 0.01 s at row 3, expected it to increase"),
        (trc_text().replace("\t0.02000\t", "\t\t"), "expected it to increase"),
        (trc_text().replace("321.00000", "321,00000"), r"line 9 holds '321,00000' \(L.ASIS x\).*point, not a comma"),
        (trc_text().replace("321.00000", "inf"), r"line 9 holds an infinite number \(L.ASIS x\)"),
        (trc_text().replace("321.00000", "abc"), r"'abc' \(L.ASIS x\), expected a number"),
        (trc_text()[:-20], "line 10 has .* cells, expected 11.*cut off"),
        (trc_text().replace("321.00000", "321.00000\t5"), "line 9 has 12 cells, expected 11"),
        (trc_text(n_frames=1).split("\n", 6)[0], "has 1 lines, expected 'PathFileType'"),
        ("", "begins with '' and has 0 lines"),
        ("x,y\n1,2\n" * 5, "begins with 'x,y'.*no TRC file"),
        (trc_text().replace("Frame#", "Sample"), "fourth line begins with 'Sample"),
        (trc_text().replace("\t\t\t".join(LABELS), ""), "names no marker"),
        (b"PathFileType\0\0", "is no text"),
    ],
)
def test_what_is_wrong_is_named(read, text, words):
    with pytest.raises(TrialRejected, match=f"walk.trc: .*{words}"):
        read(text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TrialRejected, match=r"walk\.trc: the file can't be read"):
        read_trc(tmp_path / "walk.trc")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "markers", "rate_hz", "end_s", "first_m"),
    [
        # The first marker's first place, as an editor shows it.
        ("gait2354/subject01_walk1.trc", 41, 60, 2.5, (0.61724762, 1.05527502, 0.17078198)),
        ("rajagopal2016/walk/motion_capture_walk.trc", 41, 100, 2.37, (-0.652630, 1.529542, -0.094520)),
        ("rajagopal2016/walk/static_walk_1.trc", 64, 100, 2.86, None),
    ],
)
def test_files_of_opensims_examples(shared_data, name, markers, rate_hz, end_s, first_m):
    recording = read_trc(shared_data / "opensim_reference" / name)
    assert (len(recording.marker_labels), recording.point_rate_hz) == (markers, rate_hz)
    assert recording.time_s[-1] == pytest.approx(end_s, abs=1e-9)
    assert recording.warnings == ()
    if first_m:
        np.testing.assert_allclose(recording.markers_m[0, 0], first_m, atol=1e-9)


@pytest.mark.data
def test_every_tenth_frame_and_a_last_one_are_no_even_motion(shared_data):
    with pytest.raises(TrialRejected, match="time steps are uneven"):
        read_trc(shared_data / "opensim_reference" / "c3d" / "std_walking5_markers.trc")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places_mm=st.tuples(st.integers(2, 6), st.integers(1, 5)).flatmap(
        lambda shape: arrays(
            float, (*shape, 3), elements=st.floats(-5000, 5000).map(lambda value: round(value, 3) + 1e-3)
        )
    ),
    hidden=st.randoms(use_true_random=False),
    ends=st.sampled_from(["\n", "\r\n", "\t\n", "\t\t\t\r\n"]),
)
def test_whatever_is_hidden_what_is_seen_comes_back(tmp_path, places_mm, hidden, ends):
    seen = np.array([[hidden.random() > 0.3 for _ in row] for row in places_mm[:, :, 0]])
    places_mm = np.where(seen[:, :, None], places_mm, np.nan)
    labels = [f"M{number}" for number in range(places_mm.shape[1])]
    path = tmp_path / "walk.trc"
    path.write_bytes(trc_text(labels=labels, positions=places_mm).replace("\n", ends).encode())
    np.testing.assert_allclose(read_trc(path).markers_m, places_mm / 1000, atol=1e-9)


def test_a_file_without_tabs_is_read_by_its_spaces(read):
    np.testing.assert_allclose(read(re.sub(r"\t+", "  ", trc_text())).markers_m, expected_m(), rtol=1e-12)
