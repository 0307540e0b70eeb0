import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from warehouse.channels import INPUT_COORDINATES, MUSCLE_GROUPS
from warehouse.files import read
from warehouse.interchange.archive_files import UNITS, read_archive
from warehouse.interchange.gait2hip60 import OUT_COLUMNS
from warehouse.interchange.import_archive import import_archive, read_subjects
from warehouse.layout import Warehouse

SUBJECTS = "subject_id,height_m,weight_kg\nH01,1.70,70\nH02,1.80,80\n"
PHASE = np.linspace(0, 1, 121)
# A hip that swings once a cycle, every other angle a straight line that says which it is.
ANGLES = np.column_stack([30 * np.cos(2 * np.pi * PHASE)] + [np.full(121, float(index)) for index in range(1, 10)])


def _table(columns: tuple[str, ...], values: np.ndarray, duration_s: float, in_degrees: str = "yes") -> str:
    time_s = 2.0 + PHASE * duration_s
    rows = "\n".join("\t".join(f"{number:.12g}" for number in row) for row in np.column_stack([time_s, values]))
    return f"name\nversion=1\ninDegrees={in_degrees}\nendheader\n" + "\t".join(("time", *columns)) + "\n" + rows + "\n"


def _trial(duration_s: float = 1.1, degrees: bool = True) -> dict[str, str]:
    """Each kind's file: every muscle unit gives its number in newtons, every moment ten times its number."""
    angles = ANGLES if degrees else np.radians(ANGLES)
    units = np.tile(np.arange(1.0, 1 + len(UNITS)), (121, 1))
    moments = np.tile([10.0, 20.0, 30.0], (121, 1))
    return {
        "ik.mot": _table(INPUT_COORDINATES, angles, duration_s, "yes" if degrees else "no"),
        "id.sto": _table(OUT_COLUMNS["moments"], moments, duration_s),
        "so_force.sto": _table(UNITS, units, duration_s),
        "so_activation.sto": _table(UNITS, units / 100, duration_s),
        "grf.mot": _table(("ground_force_vy",), units[:, :1], duration_s),
    }


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two subjects, one with its files in one folder, one with a folder for each kind."""
    folder = tmp_path / "Gait2Hip-60"
    _write(folder, {f"H01/slow_1/H01_slow_1_{name}": text for name, text in _trial().items()})
    spread = _trial(0.9, degrees=False)
    _write(folder, {"IK/H02/H02_fast_2.mot": spread["ik.mot"], "ID/H02/H02_fast_2.sto": spread["id.sto"]})
    _write(folder, {"SO/H02/H02_fast_2.sto": spread["so_force.sto"]})
    (tmp_path / "subject_info.csv").write_text(SUBJECTS)
    return folder


def test_an_archive_s_trials_become_cycles_in_the_units_of_the_store(archive: Path, warehouse: Warehouse) -> None:
    assert import_archive(warehouse, archive, archive.parent / "subject_info.csv", "published") == (2, 0)

    cycles = read.cycles_as_right(warehouse).to_pandas()
    assert [(key, len(rows)) for key, rows in cycles.groupby(["subject", "trial", "condition"])] == [
        (("H01", "slow_01", "slow"), 180),
        (("H02", "fast_01", "fast"), 180),
    ]
    for subject, mass_kg, duration_s in (("H01", 70.0, 1.1), ("H02", 80.0, 0.9)):
        rows = cycles[cycles.subject == subject]
        np.testing.assert_allclose(rows.duration_s, duration_s, rtol=1e-9)
        # Degrees, whatever the file was in.
        np.testing.assert_allclose(rows.hip_flexion_r, 30 * np.cos(2 * np.pi * rows.phase), atol=0.02)
        for index, name in enumerate(INPUT_COORDINATES[1:], start=1):
            np.testing.assert_allclose(rows[name], index, rtol=1e-9)
        for group, units in MUSCLE_GROUPS.items():
            expected_n = sum(1 + UNITS.index(unit) for unit in units)
            np.testing.assert_allclose(rows[f"force_{group}"], expected_n / mass_kg, rtol=1e-9)
        np.testing.assert_allclose(rows.moment_hip_adduction, 20 / mass_kg, rtol=1e-9)


def test_a_zip_gives_what_its_folder_gives(archive: Path, tmp_path: Path, warehouse: Warehouse) -> None:
    packed = tmp_path / "Gait2Hip-60.zip"
    with zipfile.ZipFile(packed, "w") as file:
        for path in archive.rglob("*"):
            file.write(path, path.relative_to(tmp_path))
        file.writestr("__MACOSX/Gait2Hip-60/._H01_slow_1_ik.mot", "not a table")
    other = Warehouse(str(tmp_path / "other"))
    import_archive(warehouse, archive, tmp_path / "subject_info.csv", "published")

    import_archive(other, packed, tmp_path / "subject_info.csv", "published")

    pd.testing.assert_frame_equal(read.cycles(other).to_pandas(), read.cycles(warehouse).to_pandas())


@pytest.mark.parametrize(
    ("duration_s", "reason"),
    [(4.2, r"lasts 4.20 s, one gait cycle takes 0.6-2.5 s"), (0.3, "lasts 0.30 s")],
)
def test_what_is_not_one_gait_cycle_is_rejected_and_kept_as_such(
    archive: Path, warehouse: Warehouse, duration_s: float, reason: str
) -> None:
    _write(archive, {f"H01/slow_2/H01_slow_2_{name}": text for name, text in _trial(duration_s).items()})

    assert import_archive(warehouse, archive, archive.parent / "subject_info.csv", "published") == (2, 1)

    rejected = next(trial for trial in read.trials(warehouse) if trial.summary["outcome"] == "rejected")
    assert rejected.summary["stage"] == "import"
    assert reason in str(rejected.summary["reason"])


def test_half_a_cycle_is_rejected(archive: Path, warehouse: Warehouse) -> None:
    half = np.column_stack([30 * np.cos(np.pi * PHASE), ANGLES[:, 1:]])
    files = _trial() | {"ik.mot": _table(INPUT_COORDINATES, half, 1.1)}
    _write(archive, {f"H01/slow_2/H01_slow_2_{name}": text for name, text in files.items()})

    assert import_archive(warehouse, archive, archive.parent / "subject_info.csv", "published") == (2, 1)

    reasons = [str(trial.summary["reason"]) for trial in read.trials(warehouse)]
    assert any("ends 100% of the hip's range from where it begins" in reason for reason in reasons)


def test_muscle_forces_of_a_part_of_the_motion_are_rejected(archive: Path, warehouse: Warehouse) -> None:
    short = _table(UNITS, np.ones((121, len(UNITS))), 0.7)
    _write(archive, {"H01/slow_1/H01_slow_1_so_force.sto": short})

    assert import_archive(warehouse, archive, archive.parent / "subject_info.csv", "published") == (1, 1)

    reasons = [str(trial.summary["reason"]) for trial in read.trials(warehouse)]
    assert any("H01_slow_1_so_force.sto lacks 0.40 s of the motion" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"H01/slow_1/H01_slow_1_id.sto": None}, r"found .*H01_slow_1_ik\.mot \(kinematics\).*but no dynamics"),
        ({"H01/slow_1/H01_slow_1_ik_2.mot": _trial()["ik.mot"]}, r"but no dynamics and no optimization"),
        ({"H01/slow_1/ik/H01_slow_1.mot": _trial()["ik.mot"]}, r"are both kinematics of one trial"),
        ({"H01/slow_1/H01_slow_1_ik.mot": "broken"}, r"H01_slow_1_ik\.mot: no 'endheader'"),
        (
            {"H01/slow_1/H01_slow_1_ik.mot": _trial()["ik.mot"].replace("inDegrees=yes", "")},
            r"H01_slow_1_ik\.mot: its header has no inDegrees",
        ),
    ],
)
def test_files_that_do_not_fit_together_are_named_and_nothing_is_written(
    archive: Path, warehouse: Warehouse, files: dict[str, str | None], message: str
) -> None:
    for name, text in files.items():
        if text is None:
            (archive / name).unlink()
        else:
            _write(archive, {name: text})

    with pytest.raises(ValueError, match=message):
        import_archive(warehouse, archive, archive.parent / "subject_info.csv", "published")

    assert not Path(warehouse.base).exists()


@pytest.mark.parametrize(("folder", "expected"), [("H09/slow_1", "a subject of"), ("H01/jog_1", "a condition")])
def test_a_path_that_does_not_say_who_or_how_is_named(
    tmp_path: Path, warehouse: Warehouse, folder: str, expected: str
) -> None:
    _write(tmp_path / "archive", {f"{folder}/{name}": text for name, text in _trial().items()})
    (tmp_path / "subject_info.csv").write_text(SUBJECTS)

    with pytest.raises(ValueError, match=rf"{folder}/ik\.mot: its path, .*, names nothing; expected {expected}"):
        import_archive(warehouse, tmp_path / "archive", tmp_path / "subject_info.csv", "published")


@pytest.mark.parametrize(
    ("motion", "dynamics", "optimization"),
    [
        ("H01/slow/H01_slow_03_IK.mot", "H01/slow/H01_slow_03_ID.sto", "H01/slow/H01_slow_03_SO_force.sto"),
        ("01_IK/H01_slow3.mot", "02_ID/h01_slow3.sto", "03_SO/H01_Slow3_StaticOptimization_force.sto"),
        ("H01/IK_results/78_3.mot", "H01/ID_results/78_3.sto", "H01/SO_results/78_3_StaticOptimization_force.sto"),
        ("H01/slow3/ik.mot", "H01/slow3/inverse_dynamics.sto", "H01/slow3/StaticOptimization_force.sto"),
    ],
)
def test_any_naming_that_tells_subject_cadence_and_kind_is_read(
    tmp_path: Path, warehouse: Warehouse, motion: str, dynamics: str, optimization: str
) -> None:
    trial = _trial()
    files = {motion: trial["ik.mot"], dynamics: trial["id.sto"], optimization: trial["so_force.sto"]}
    _write(tmp_path / "Gait2Hip-60", files)
    (tmp_path / "subject_info.csv").write_text(SUBJECTS)

    assert import_archive(warehouse, tmp_path / "Gait2Hip-60", tmp_path / "subject_info.csv", "published") == (1, 0)
    assert [found.owner for found in read.trials(warehouse)] == ["published/H01/published/slow_01"]


def test_an_archive_without_trials_or_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.zip").write_bytes(b"PK broken")

    with pytest.raises(ValueError, match=r"empty: no inverse kinematics"):
        read_archive(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"broken\.zip: not a whole ZIP file"):
        read_archive(tmp_path / "broken.zip")
    with pytest.raises(ValueError, match=r"absent\.zip: can't be read"):
        read_archive(tmp_path / "absent.zip")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,height,mass\nH01,1.7,70\n", r"its columns are id, height, mass; expected subject_id, height_m, weight_kg"),
        ("", r"its columns are none"),
        ("subject_id,height_m,weight_kg\nH01,tall,70\n", r"subject H01: could not convert"),
        (
            "subject_id,height_m,weight_kg\nH01,170,70\n",
            r"subject H01 has .*height_m=170; expected .* Another unit",
        ),
        ("subject_id,height_m,weight_kg\nH01,1.7\n", r"subject H01: "),
        ("subject_id,height_m,weight_kg\nH01,1.7,70\nH01,1.7,71\n", r"H01 twice"),
    ],
)
def test_a_subjects_table_that_does_not_fit_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "subject_info.csv"
    file.write_text(text)

    with pytest.raises(ValueError, match=rf"subject_info\.csv: {message}"):
        read_subjects(file)
