from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.warehouse.conftest import store_whole_trial
from tests.warehouse.interchange import published
from tests.warehouse.one_file import write_table
from tests.warehouse.samples import MADE, N_SAMPLES, cycles_columns, load_columns, nothing_suspicious
from warehouse.channels import TargetKind
from warehouse.errors import MissingFile
from warehouse.identity import TrialKey
from warehouse.interchange.export import export_release, parse_format
from warehouse.interchange.gait2hip60 import KEYS, read_published
from warehouse.interchange.import_npz import import_npz
from warehouse.interchange.opensim_table import parse_motion
from warehouse.layout import Warehouse
from warehouse.release.arrays import load
from warehouse.release.build import ReleaseOrder, build_release
from warehouse.release.cycles_file import Sampling
from warehouse.release.selection import Selection
from warehouse.release.split import hold_out_none


def _release(warehouse: Warehouse, points: int = 180) -> str:
    order = ReleaseOrder(
        name="r",
        selection=Selection(),
        sampling=Sampling(sides="both", points=points),
        split=hold_out_none,
        audit=nothing_suspicious,
        licence=None,
    )
    return build_release(warehouse, order).root.root


@pytest.fixture
def measured(warehouse: Warehouse) -> str:
    """A release of two cohorts that use one subject's code."""
    for cohort in ("adults", "children"):
        store_whole_trial(warehouse, TrialKey(cohort=cohort, subject="S01", session="day1", trial="walk"))
    return _release(warehouse)


@pytest.fixture
def imported(tmp_path: Path, warehouse: Warehouse) -> str:
    files = [published.write(tmp_path, kind) for kind in ("forces", "moments")]
    import_npz(warehouse, files, "gait2hip60")
    return _release(warehouse)


@pytest.mark.parametrize("kind", ["forces", "moments"])
def test_what_was_published_comes_out_as_it_went_in(tmp_path: Path, imported: str, kind: TargetKind) -> None:
    written = export_release(imported, "npz", tmp_path / "data").files

    assert [file.name for file in written] == ["Gait2Hip_MF60.npz", "Gait2Hip_JM60.npz"]
    went_in, came_out = published.arrays(kind), written[0 if kind == "forces" else 1]
    found = read_published(came_out)
    # Releases are sorted by subject and trial: fast, med, slow, where the published file had slow, med, fast.
    order = np.lexsort([published.CONDITIONS, published.SUBJECTS])
    np.testing.assert_array_equal(found.inputs_deg, went_in["X"][order])
    # Divided by the mass, rounded to single precision, multiplied again.
    np.testing.assert_allclose(found.targets, went_in["Y"][order], rtol=1.2e-7)
    assert list(found.subject) == list(published.SUBJECTS[order])
    assert list(found.condition) == list(published.CONDITIONS[order])
    np.testing.assert_array_equal(found.mass_kg, published.MASS_KG[order])


def test_exported_imported_and_exported_again_it_is_the_same(tmp_path: Path, warehouse: Warehouse) -> None:
    """Two cohorts and a hundred cycles of one subject in one condition, in an order that is not the published one."""
    random = np.random.default_rng(0)
    for cohort, n_right in (("virtual-healthy", 2), ("adults", 103)):
        for trial, condition in (("a_walk", "slow"), ("b_walk", "fast"), ("c_walk", "slow")):
            key = TrialKey(cohort=cohort, subject="S01", session="day1", trial=trial)
            store_whole_trial(warehouse, key, condition=condition, n_cycles_right=n_right)
            columns = cycles_columns(n_right=n_right, condition=condition)
            columns |= {
                name: random.standard_normal(len(columns[name])) for name in ("force_tfl", "moment_hip_rotation")
            }
            write_table(warehouse, "cycles", key, columns, **MADE)
    first = export_release(_release(warehouse), "npz", tmp_path / "first").files
    other = Warehouse(str(tmp_path / "other"))

    import_npz(other, first, "back")
    second = export_release(_release(other), "npz", tmp_path / "second").files

    for one, again in zip(first, second, strict=True):
        went_in, came_out = np.load(one), np.load(again)
        assert len(went_in["X"]) == 3 * (2 + 1) + 3 * (103 + 1)
        assert set(went_in["subject_id"]) == {"virtual-healthy.S01", "adults.S01"}
        for name in KEYS:
            np.testing.assert_array_equal(went_in[name], came_out[name], err_msg=name)


def test_another_number_of_samples_than_the_published_is_refused(tmp_path: Path, warehouse: Warehouse) -> None:
    store_whole_trial(warehouse, TrialKey(cohort="adults", subject="S01", session="day1", trial="walk"))
    release = _release(warehouse, points=101)

    with pytest.raises(ValueError, match=r"101 samples; the published layout has 180.*--points 180"):
        export_release(release, "npz", tmp_path / "out")

    assert not (tmp_path / "out").exists()
    assert len(export_release(release, "csv", tmp_path / "out").files) == 1


def test_cycles_whose_targets_are_not_known_are_left_out_and_named(tmp_path: Path, warehouse: Warehouse) -> None:
    key = TrialKey(cohort="adults", subject="S01", session="day1", trial="walk")
    store_whole_trial(warehouse, key)
    columns = cycles_columns()
    left = columns["side"] == "left"
    columns["force_tfl"] = np.where(left, np.nan, columns["force_tfl"])
    write_table(warehouse, "cycles", key, columns, **MADE)

    exported = export_release(_release(warehouse), "npz", tmp_path)

    assert exported.left_out == ("Gait2Hip_MF60.npz: adults/S01/day1/walk left cycle 0: force_tfl not known",)
    assert [len(np.load(file)["X"]) for file in exported.files] == [2, 3]


def test_the_published_scripts_first_lines_work_on_an_export(tmp_path: Path, imported: str) -> None:
    export_release(imported, "npz", tmp_path)

    data = np.load(tmp_path / "Gait2Hip_MF60.npz", allow_pickle=True)

    assert set(data.files) == set(KEYS)
    assert len(data["in_cols"].tolist()) == data["X"].astype(np.float32).shape[2] == 10
    assert len(data["out_cols"].tolist()) == data["Y"].astype(np.float32).shape[2] == 14
    assert {type(name) for name in data["in_cols"].tolist()} == {str}
    assert len(np.unique(data["subject_id"].astype(str))) == 4
    assert data["weight_kg"].astype(np.float32).shape == data["speed_label"].astype(str).shape == (12,)


def test_an_export_s_bytes_are_the_same_each_time(tmp_path: Path, measured: str) -> None:
    one = [file.read_bytes() for file in export_release(measured, "npz", tmp_path / "one").files]

    assert one == [file.read_bytes() for file in export_release(measured, "npz", tmp_path / "other").files]


def test_one_code_in_two_cohorts_stays_two_people(tmp_path: Path, measured: str) -> None:
    export_release(measured, "npz", tmp_path)

    assert set(np.load(tmp_path / "Gait2Hip_MF60.npz")["subject_id"]) == {"adults.S01", "children.S01"}


def test_csv_holds_every_row_with_its_keys(tmp_path: Path, measured: str) -> None:
    (file,) = export_release(measured, "csv", tmp_path).files

    rows, arrays = pd.read_csv(file), load(measured)
    assert len(rows) == arrays.inputs_deg.shape[0] * arrays.inputs_deg.shape[1]
    assert list(rows.columns[:6]) == ["cohort", "subject", "session", "trial", "condition", "side"]
    np.testing.assert_allclose(rows.force_glmed, arrays.forces_n_kg[:, :, 10].ravel(), rtol=1e-6)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_mot_files_hold_one_cycle_each_in_time_and_newtons(tmp_path: Path, measured: str) -> None:
    written = export_release(measured, "mot", tmp_path).files

    arrays = load(measured)
    assert len(written) == 3 * len(arrays) == 18
    motion, moments, forces = (parse_motion(file.name, file.read_text()) for file in written[:3])
    assert motion.name == "adults_S01_day1_walk_right_0_ik.mot"
    assert motion.time_s[-1] == arrays.duration_s[0]
    np.testing.assert_array_equal(motion.degrees(motion.columns).astype(np.float32), arrays.inputs_deg[0])
    np.testing.assert_allclose(forces.values, arrays.forces_n_kg[0] * 67.0, rtol=1e-6)
    assert forces.columns[10] == "glmed_r"
    assert moments.columns == ("hip_flexion_r_moment", "hip_adduction_r_moment", "hip_rotation_r_moment")
    np.testing.assert_allclose(moments.values, arrays.moments_nm_kg[0] * 67.0, rtol=1e-6)


def test_contact_forces_are_exported_but_not_in_the_published_files(tmp_path: Path, warehouse: Warehouse) -> None:
    key = TrialKey(cohort="adults", subject="S01", session="day1", trial="walk")
    store_whole_trial(warehouse, key)
    write_table(warehouse, "cycles", key, cycles_columns() | load_columns(3 * N_SAMPLES), **MADE)
    release = _release(warehouse)

    published_files = export_release(release, "npz", tmp_path / "npz").files
    (csv,) = export_release(release, "csv", tmp_path / "csv").files
    of_cycle = export_release(release, "mot", tmp_path / "mot").files[:4]

    assert [file.name for file in published_files] == ["Gait2Hip_MF60.npz", "Gait2Hip_JM60.npz"]
    assert {"load_hip_x", "load_hip_y", "load_hip_z", "load_hip"} <= set(pd.read_csv(csv).columns)
    assert [file.name.rpartition("_")[2] for file in of_cycle] == ["ik.mot", "id.sto", "so.sto", "jr.sto"]
    loads = parse_motion(of_cycle[3].name, of_cycle[3].read_text())
    assert loads.columns == tuple(f"hip_r_on_femur_r_in_femur_r_f{axis}" for axis in "xyz")
    found = load(release, ("loads",)).loads_n_kg[0, :, :3]
    np.testing.assert_allclose(loads.values, found * 67.0, rtol=1e-6)


def test_a_cycle_whose_contact_force_is_not_known_keeps_its_other_files(tmp_path: Path, warehouse: Warehouse) -> None:
    """Two right cycles with a known hip load, and a left one without: its moments are not known either."""
    key = TrialKey(cohort="adults", subject="S01", session="day1", trial="walk")
    store_whole_trial(warehouse, key)
    columns = cycles_columns() | load_columns(3 * N_SAMPLES)
    unknown = columns["side"] == "left"
    for name in (*(name for name in columns if name.startswith("load_hip")), "moment_hip_flexion"):
        columns[name] = np.where(unknown, np.nan, columns[name])
    write_table(warehouse, "cycles", key, columns, **MADE)
    release = _release(warehouse)

    exported = export_release(release, "mot", tmp_path)

    names = [file.name.removeprefix("adults_S01_day1_walk_") for file in exported.files]
    every = ["ik.mot", "id.sto", "so.sto", "jr.sto"]
    right = [f"right_{cycle}_{ending}" for cycle in (0, 1) for ending in every]
    assert sorted(names) == sorted([*right, "left_0_ik.mot", "left_0_so.sto"])
    where = "adults/S01/day1/walk left cycle 0"
    assert exported.left_out == (
        f"id.sto: {where}: moment_hip_flexion not known",
        f"jr.sto: {where}: all targets not known",
    )
    whole, left = load(release, ("forces",)), tmp_path / "adults_S01_day1_walk_left_0_so.sto"
    expected = whole.forces_n_kg[whole.side == "left"][0] * 67.0
    np.testing.assert_allclose(parse_motion(left.name, left.read_text()).values, expected, rtol=1e-6)
    assert not any("nan" in file.read_text() for file in exported.files)


def test_cycles_without_a_duration_have_no_time(tmp_path: Path, imported: str) -> None:
    with pytest.raises(ValueError, match=r"the duration of 12 of 12 cycles is not known.*as npz or csv"):
        export_release(imported, "mot", tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_what_is_no_release_or_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no release at"):
        export_release(str(tmp_path), "npz", tmp_path / "out")
    with pytest.raises(ValueError, match="--format mat: expected npz, csv, mot"):
        parse_format("mat")
