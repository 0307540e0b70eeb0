from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.osim.files import read_storage, write_storage, write_trc
from pipeline.records import Markers

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=30, deadline=None)
@given(values=arrays(np.float64, (5, 3), elements=FINITE))
def test_a_storage_reads_back_exactly(values: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("storage") / "table.sto"
    time_s = np.arange(5) / 3.0
    write_storage(path, ["a", "b", "/jointset/hip_r/hip_flexion_r/value"], time_s, values)
    names, found_s, found, in_degrees = read_storage(path)
    assert names == ("a", "b", "/jointset/hip_r/hip_flexion_r/value")
    np.testing.assert_array_equal(found_s, time_s)
    np.testing.assert_array_equal(found, values)
    assert not in_degrees


def test_degrees_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "ik.mot"
    path.write_text(
        "Coordinates\nversion=1\ninDegrees=yes\n\nAngles are in degrees.\n\nendheader\ntime\tknee\n0.5\t90\n"
    )
    names, time_s, values, in_degrees = read_storage(path)
    assert (names, time_s.tolist(), values.tolist(), in_degrees) == (("knee",), [0.5], [[90.0]], True)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no header at all\n1 2 3\n", "endheader"),
        ("endheader\nknee\ttime\n1\t2\n", "expected 'time' and others"),
        ("endheader\ntime\tknee\n1\t2\n3\n", "row 1 has 1 numbers, expected 2"),
    ],
)
def test_what_is_no_storage_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "odd.sto"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"odd.sto.*{complaint}"):
        read_storage(path)


def test_nan_is_not_written_to_a_storage(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="knee hold NaN"):
        write_storage(tmp_path / "q.sto", ["hip", "knee"], np.arange(2.0), np.array([[0, 1], [0, np.nan]]))


@pytest.mark.osim
def test_opensim_reads_our_markers_with_missing_ones_missing(tmp_path: Path) -> None:
    import opensim as osim

    positions_m = np.arange(18.0).reshape(3, 2, 3) / 7
    positions_m[1, 0] = np.nan
    markers = Markers(time_s=np.array([0.1, 0.2, 0.3]), rate_hz=10.0, labels=("A", "B"), positions_m=positions_m)
    write_trc(tmp_path / "m.trc", markers)
    table = osim.TimeSeriesTableVec3(str(tmp_path / "m.trc"))
    flat = table.flatten()
    found = flat.getMatrix().to_numpy().reshape(3, 2, 3)
    assert list(table.getColumnLabels()) == ["A", "B"]
    assert table.getTableMetaDataAsString("Units") == "m"
    np.testing.assert_array_equal(found, positions_m)
    np.testing.assert_array_equal(table.getIndependentColumn(), markers.time_s)


def test_no_markers_make_no_file(tmp_path: Path) -> None:
    empty = Markers(time_s=np.zeros(0), rate_hz=100.0, labels=("A",), positions_m=np.zeros((0, 1, 3)))
    with pytest.raises(ValueError, match="0 frames"):
        write_trc(tmp_path / "m.trc", empty)
