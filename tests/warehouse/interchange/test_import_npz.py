from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.warehouse.interchange import published
from warehouse.channels import FORCE_CHANNELS, MOMENT_CHANNELS
from warehouse.files import read
from warehouse.holdings.status import warehouse_status
from warehouse.identity import TrialKey
from warehouse.interchange.import_npz import import_npz
from warehouse.layout import Warehouse
from warehouse.release.build import stored_trials
from warehouse.release.origin import mixture


def _files(warehouse: Warehouse) -> dict[str, bytes]:
    root = Path(warehouse.base)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_forces_and_moments_of_the_same_cycles_become_one_cycle_each(tmp_path: Path, warehouse: Warehouse) -> None:
    forces, moments = published.write(tmp_path, "forces"), published.write(tmp_path, "moments")

    assert import_npz(warehouse, [forces, moments], "gait2hip60") == 12

    # By subject and, in a subject, by trial: fast_01, med_01, slow_01, where the file has slow, med, fast.
    order = [3 * subject + condition for subject in range(4) for condition in (2, 1, 0)]
    cycles = read.cycles_as_right(warehouse).to_pandas()
    assert len(cycles) == 12 * 180
    for kind, names in (("forces", FORCE_CHANNELS), ("moments", MOMENT_CHANNELS)):
        per_mass = published.arrays(kind)["Y"].astype(float) / published.MASS_KG[:, None, None]
        np.testing.assert_allclose(cycles[list(names)].to_numpy().reshape(12, 180, -1), per_mass[order], rtol=1e-12)
    assert cycles.duration_s.isna().all()
    assert set(cycles.side) == {"right"}
    assert list(cycles.trial.unique()) == ["fast_01", "med_01", "slow_01"]


def test_what_a_source_does_not_tell_is_missing_and_not_made_up(tmp_path: Path, warehouse: Warehouse) -> None:
    import_npz(warehouse, [published.write(tmp_path, "forces")], "gait2hip60")

    key = TrialKey(cohort="gait2hip60", subject="H01", session="published", trial="slow_01")
    session = read.read_row(warehouse, "sessions", key)
    assert (session["mass_kg"], session["height_m"]) == (55.0, 1.55)
    assert [session[name] for name in ("model", "opensim_version", "profile", "age_y")] == [None] * 4
    assert read.read_row(warehouse, "subjects", key)["sex"] is None
    trial = read.read_row(warehouse, "trials", key)
    assert trial["source"] == "Gait2Hip_MF60.npz: cycle 0"
    assert trial["marker_rms_max_m"] is None
    assert np.isnan(read.read_table(warehouse, "cycles", key, ["moment_hip_flexion"]).column(0).to_numpy()).all()
    account = read.stored(warehouse, "cycles", key)
    assert account.recipe == "imported-gait2hip60"
    hashes = account.made_from["imported"]
    assert isinstance(hashes, Mapping)
    assert len(hashes["Gait2Hip_MF60.npz"]) == 64


def test_an_imported_warehouse_is_whole(tmp_path: Path, warehouse: Warehouse) -> None:
    import_npz(warehouse, [published.write(tmp_path, "forces")], "gait2hip60")

    found = warehouse_status(warehouse)

    assert len(found.accepted) == 12
    assert (found.missing, found.orphans, found.unreadable) == ((), (), ())


def test_importing_again_changes_no_byte(tmp_path: Path, warehouse: Warehouse) -> None:
    file = published.write(tmp_path, "moments")
    import_npz(warehouse, [file], "gait2hip60")
    before = _files(warehouse)

    import_npz(warehouse, [file], "gait2hip60")

    assert _files(warehouse) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": published.arrays("moments")["X"] + np.float32(0.1)}, r"cycle 0 is not.*\(H01, slow; H01, slow\)"),
        ({"speed_label": published.CONDITIONS[::-1].astype(object)}, r"cycle 0 is not.*\(H01, slow; H01, fast\)"),
        (
            {name: values[:11] for name, values in published.arrays("moments").items() if len(values) == 12},
            "12 and 11 cycles",
        ),
    ],
)  # fmt: skip
def test_files_of_different_cycles_are_not_put_together(
    tmp_path: Path, warehouse: Warehouse, changes: dict[str, np.ndarray], message: str
) -> None:
    files = [published.write(tmp_path, "forces"), published.write(tmp_path, "moments", changes)]

    with pytest.raises(ValueError, match=message):
        import_npz(warehouse, files, "gait2hip60")

    assert not Path(warehouse.base).exists()


def test_two_files_of_one_kind_are_refused(tmp_path: Path, warehouse: Warehouse) -> None:
    file = published.write(tmp_path, "forces")

    with pytest.raises(ValueError, match="at most one file of forces"):
        import_npz(warehouse, [file, file], "gait2hip60")


def test_a_code_that_is_no_folder_is_refused(tmp_path: Path, warehouse: Warehouse) -> None:
    codes = published.SUBJECTS.astype(object)
    codes[4] = "../../etc"
    file = published.write(tmp_path, "forces", {"subject_id": codes})

    with pytest.raises(ValueError, match=r"subject '\.\./\.\./etc' can't be used in a path"):
        import_npz(warehouse, [file], "gait2hip60")


def test_a_cohort_of_two_imports_is_no_one_s(tmp_path: Path, warehouse: Warehouse) -> None:
    import_npz(warehouse, [published.write(tmp_path, "forces")], "gait2hip60")
    older = stored_trials(warehouse)
    import_npz(warehouse, [published.write(tmp_path, "forces", {"height_m": published.HEIGHT_M + 0.01})], "gait2hip60")

    told = mixture([*older[:3], *stored_trials(warehouse)[3:]])

    assert told is not None
    assert told.startswith("2 ways: cohort gait2hip60 was imported from 2 sets of files.")
    assert mixture(older) is None
