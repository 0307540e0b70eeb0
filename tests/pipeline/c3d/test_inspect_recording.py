from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.c3d.inspect_recording import describe_recording, export_recording
from pipeline.c3d.read_c3d import read_c3d
from pipeline.records import Event, ForcePlate, Recording, SubjectBlock

CORNERS_M = np.array([[0.6, 0, 0], [0, 0, 0], [0, 0.4, 0], [0.6, 0.4, 0]])


def plate(number: int, push_n: float) -> ForcePlate:
    """20 samples; in the second half `push_n` at (0.4, 0.1) with a free moment of 2 N·m."""
    force_n = np.zeros((20, 3))
    force_n[10:, 2] = push_n
    moment_nm = np.zeros((20, 3))
    moment_nm[10:] = np.cross([0.4, 0.1, 0.04], [0, 0, push_n]) + np.array([0, 0, 2.0])
    return ForcePlate(
        number=number,
        type=2,
        corners_m=CORNERS_M,
        origin_m=np.array([0.0, 0, -0.04]),
        normal=np.array([0.0, 0, 1]),
        force_n=force_n,
        moment_nm=moment_nm,
    )


def recording(*plates: ForcePlate) -> Recording:
    markers_m = np.tile([0.1, 0.2, 0.3], (10, 2, 1))
    markers_m[2:5, 1] = np.nan
    markers_m[7, 1] = np.nan
    return Recording(
        path=Path("/laboratory/Ada Lovelace/walk.c3d"),
        time_s=1.23 + np.arange(10) / 100,
        point_rate_hz=100.0,
        marker_labels=("LASI", "RASI"),
        markers_m=markers_m,
        analog_rate_hz=200.0,
        analog_labels=("Fz1",),
        analog_units=("N",),
        analog=np.zeros((20, 1)),
        plates=plates,
        events=(Event(kind="foot_strike", side="left", time_s=1.25, label="FS"),),
        subject=SubjectBlock(mass_kg=32.1, fingerprint="977c5ed4ff98"),
        warnings=("ANALOG:OFFSET is missing",),
    )


def test_describe_says_what_is_inside() -> None:
    said = describe_recording(recording(plate(1, 700.0)))
    for expected in (
        "walk.c3d (read with c3d)",
        "2 at 100 Hz, 10 frames, 0.10 s from 1.23 s",
        "LASI RASI",
        "RASI: missing in 4 of 10 frames, longest 0.03 s",
        "1 channels at 200 Hz",
        "Fz1[N]",
        "type 2, 0.600 m by 0.400 m, peak vertical force on the body 700 N",
        "1.250 s  left",
        "mass 32.1 kg, height not stated",
        "WARNING   ANALOG:OFFSET is missing",
    ):
        assert expected in said
    assert "LASI: missing" not in said
    assert "Lovelace" not in said


def test_describe_without_plates() -> None:
    assert "plates    none" in describe_recording(recording())


def test_markers_as_written(tmp_path: Path) -> None:
    whole = recording(plate(1, 700.0))
    markers, _ = export_recording(whole, tmp_path / "new" / "folder")
    table = pq.read_table(markers)
    assert table.column_names == ["time_s", "LASI_x", "LASI_y", "LASI_z", "RASI_x", "RASI_y", "RASI_z"]
    np.testing.assert_array_equal(table["time_s"], whole.time_s)
    np.testing.assert_array_equal(table["RASI_y"].to_numpy(), whole.markers_m[:, 1, 1])
    assert table["RASI_y"].null_count == 0
    assert table.schema.field("RASI_y").metadata[b"unit"] == b"m"
    assert b"RASI" in table.schema.field("RASI_y").metadata[b"meaning"]


def test_plates_as_written(tmp_path: Path) -> None:
    _, plates = export_recording(recording(plate(1, 700.0), plate(3, 19.0)), tmp_path)
    table = pq.read_table(plates).to_pandas()
    assert list(table.columns) == [
        "time_s", "plate", "force_x", "force_y", "force_z", "cop_x", "cop_y", "cop_z", "free_moment",
    ]  # fmt: skip
    assert table["plate"].tolist() == [1] * 20 + [3] * 20
    np.testing.assert_allclose(table["time_s"][:20], 1.23 + np.arange(20) / 200)
    np.testing.assert_allclose(
        table.loc[10:19, ["cop_x", "cop_y", "cop_z"]], np.tile([0.4, 0.1, 0.0], (10, 1)), atol=1e-12
    )
    np.testing.assert_allclose(table.loc[10:19, "free_moment"], 2.0)
    np.testing.assert_array_equal(table.loc[10:19, "force_z"], 700.0)
    # Below 20 N there is a force, and no point where it acts.
    assert table.loc[30:, "force_z"].tolist() == [19.0] * 10
    assert table.loc[list(range(10)) + list(range(20, 40)), ["cop_x", "free_moment"]].isna().all(axis=None)


def test_no_plates_give_an_empty_table_with_its_columns(tmp_path: Path) -> None:
    _, plates = export_recording(recording(), tmp_path)
    table = pq.read_table(plates)
    assert (table.num_rows, table.num_columns) == (0, 9)
    assert all(field.metadata[b"unit"] and field.metadata[b"meaning"] for field in table.schema)


def test_a_failed_export_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    markers, _ = export_recording(recording(), tmp_path)
    before = markers.read_bytes()

    def full(table: object, where: Path) -> None:
        where.write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(ValueError, match=r"No space left.*--export"):
        export_recording(recording(plate(1, 700.0)), tmp_path)
    assert markers.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["markers.parquet", "plates.parquet"]


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ValueError, match=r"out can't be written .*expected a folder"):
        export_recording(recording(), tmp_path / "out")


@pytest.mark.data
@pytest.mark.parametrize("name", ["walking_adults/2014001/2014001_C4_05.c3d", "walking_children/HC002D/HC002D06.c3d"])
def test_real_recordings(shared_data: Path, tmp_path: Path, name: str) -> None:
    whole = read_c3d(shared_data / name)
    assert f"{len(whole.marker_labels)} at 100 Hz" in describe_recording(whole)
    markers, plates = export_recording(whole, tmp_path)
    table = pq.read_table(markers)
    assert table.num_columns == 1 + 3 * len(whole.marker_labels)
    forces = pq.read_table(plates).to_pandas()
    assert len(forces) == len(whole.plates) * len(whole.analog)
    on_plate = forces["cop_x"].notna()
    assert forces.loc[on_plate, "force_z"].min() >= 20.0
    assert forces.loc[~on_plate, "force_z"].max() < 20.0
