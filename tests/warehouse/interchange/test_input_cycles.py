"""Cycles to be predicted: the published layout without targets, and a release's own CSV."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from warehouse.channels import INPUT_COORDINATES
from warehouse.interchange.input_cycles import cycles_of_table, read_npz_inputs

ANGLES = np.arange(3 * 20 * 10, dtype=np.float32).reshape(3, 20, 10) / 16


def write_npz(path: Path, **changes: np.ndarray | None) -> Path:
    arrays: dict[str, np.ndarray | None] = {"X": ANGLES, "in_cols": np.array(INPUT_COORDINATES), **changes}
    np.savez(path, allow_pickle=False, **{name: values for name, values in arrays.items() if values is not None})
    return path


def long_form(**changes: np.ndarray | None) -> pa.Table:
    arrays: dict[str, np.ndarray | None] = {
        "subject": np.repeat(["a", "b", "b"], 20),
        "mass_kg": np.repeat([60.0, 70.0, 70.0], 20),
        "sample": np.tile(np.arange(20), 3),
        **{name: ANGLES[:, :, index].ravel() for index, name in enumerate(INPUT_COORDINATES)},
        **changes,
    }
    return pa.table({name: values for name, values in arrays.items() if values is not None})


def test_angles_alone_are_enough(tmp_path: Path) -> None:
    found = read_npz_inputs(write_npz(tmp_path / "x.npz"))

    np.testing.assert_array_equal(found.inputs_deg, ANGLES)
    assert set(found.subject) == set(found.condition) == {"unspecified"}
    assert np.isnan(found.mass_kg).all()


def test_what_the_file_says_of_its_walkers_is_read(tmp_path: Path) -> None:
    found = read_npz_inputs(
        write_npz(
            tmp_path / "x.npz",
            subject_id=np.array(["H1", "H2", "H3"]),
            speed_label=np.array(["slow", "med", "fast"]),
            weight_kg=np.array([60.0, 70.0, 80.0]),
            height_m=np.array([1.6, 1.7, 1.8]),
        )
    )

    assert found.subject.tolist() == ["H1", "H2", "H3"]
    assert found.condition.tolist() == ["slow", "med", "fast"]
    assert found.mass_kg.tolist() == [60, 70, 80]
    assert found.height_m.tolist() == [1.6, 1.7, 1.8]


def _with_nan() -> np.ndarray:
    angles = ANGLES.copy()
    angles[1, 3, 4] = np.nan
    return angles


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"X": None}, "lacks X; it holds in_cols"),
        ({"in_cols": np.array(INPUT_COORDINATES[::-1])}, "expected, in this order, hip_flexion_r"),
        ({"X": ANGLES[:, :, :9]}, r"X is \(3, 20, 9\), expected \(cycles, points, 10\)"),
        ({"X": _with_nan()}, "1 of 3 cycles hold NaN or infinity, the first is cycle 1"),
        ({"X": ANGLES.astype(str)}, "X holds .*, expected numbers"),
        ({"weight_kg": np.zeros(3)}, "weight_kg is 0 in a cycle, expected more than 0"),
        ({"height_m": np.ones(2)}, r"height_m is \(2,\), expected one for each of 3 cycles"),
    ],
)
def test_a_file_that_doesn_t_fit_is_refused(
    changes: dict[str, np.ndarray | None], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_npz_inputs(write_npz(tmp_path / "x.npz", **changes))


def test_long_form_gives_the_same_cycles() -> None:
    found = cycles_of_table(Path("cycles.csv"), long_form())

    np.testing.assert_array_equal(found.inputs_deg, ANGLES)
    assert found.subject.tolist() == ["a", "b", "b"]
    assert found.mass_kg.tolist() == [60, 70, 70]
    assert np.isnan(found.duration_s).all()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"knee_angle_r": None}, "lacks knee_angle_r"),
        ({"sample": np.tile(np.arange(30), 2)[:60] + 1}, "sample must count 0, 1, 2"),
        ({"sample": np.r_[np.arange(20), np.arange(40)]}, "sample must count 0, 1, 2"),
    ],
)
def test_a_table_of_other_cycles_is_refused(changes: dict[str, np.ndarray | None], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        cycles_of_table(Path("cycles.csv"), long_form(**changes))


def _empty_in_csv(name: str, folder: Path) -> pa.Table:
    table = long_form()
    empty = pa.nulls(table.num_rows, pa.string())
    without = table.drop_columns([name]) if name in table.column_names else table
    pa.csv.write_csv(without.append_column(name, empty), folder / "x.csv")
    return pa.csv.read_csv(folder / "x.csv")


@pytest.mark.parametrize("name", ["mass_kg", "height_m", "duration_s"])
def test_a_column_that_is_empty_throughout_is_not_known(name: str, tmp_path: Path) -> None:
    found = cycles_of_table(tmp_path / "x.csv", _empty_in_csv(name, tmp_path))

    assert np.isnan(getattr(found, name)).all()
    np.testing.assert_array_equal(found.inputs_deg, ANGLES)


def test_an_empty_column_of_words_says_nobody_s_name(tmp_path: Path) -> None:
    found = cycles_of_table(tmp_path / "x.csv", _empty_in_csv("subject", tmp_path))

    assert set(found.subject) == {"unspecified"}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("hip_flexion_r", "3 of 3 cycles hold NaN"), ("sample", "sample must count 0, 1, 2")],
)
def test_an_angle_that_is_empty_throughout_is_refused(name: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=complaint):
        cycles_of_table(tmp_path / "x.csv", _empty_in_csv(name, tmp_path))
