"""What `predict` and `import` refuse: exit code 2, the file named, what to do, nothing written."""

import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from flows import cli
from models.data.cycles import SubjectSplit
from models.predicting.trained_run import CONFIG, WEIGHTS, write_run
from models.training.train_on_split import train_baseline
from tests.models.samples import made_cycles, small_setup
from tests.pipeline.motion_only.test_kinematic_events import pendulum_legs
from tests.pipeline.motion_only.test_motion_file import table, write_csv, write_mot
from tests.warehouse.interchange.published import arrays
from warehouse.channels import INPUT_COORDINATES

CYCLES = made_cycles(n_points=24)
COLUMNS = ["time_s", *(f"{name}_deg" for name in INPUT_COORDINATES)]
Maker = Callable[[Path], Path]


def _run(*args: object) -> Result:
    return CliRunner().invoke(cli.app, list(map(str, args)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ridge"
    write_run(folder, train_baseline(small_setup("ridge"), CYCLES, SubjectSplit(train=CYCLES.subjects, test=())))
    return folder


def _angles(change: Callable[[np.ndarray], None]) -> np.ndarray:
    angles = pendulum_legs()
    change(angles)
    return angles


def infinite(angles: np.ndarray) -> None:
    angles[7, 2] = np.inf


def absurd(angles: np.ndarray) -> None:
    angles[7, 6] = 4000.0


def radians(angles: np.ndarray) -> None:
    angles *= np.pi / 180


def _csv(change: Callable[[np.ndarray], None]) -> Maker:
    return lambda folder: write_csv(folder / "given.csv", COLUMNS, table(_angles(change)))


def _mot(change: Callable[[np.ndarray], None]) -> Maker:
    return lambda folder: write_mot(folder / "given.mot", _angles(change), "inDegrees=yes")


def _npz(change: Callable[[np.ndarray], None]) -> Maker:
    def make(folder: Path) -> Path:
        angles = _angles(change)[None, :110]
        np.savez(folder / "given.npz", allow_pickle=False, X=angles, in_cols=np.array(INPUT_COORDINATES))
        return folder / "given.npz"

    return make


def _repeated(name: str) -> Maker:
    def make(folder: Path) -> Path:
        angles = np.column_stack([pendulum_legs(), np.ones(len(pendulum_legs()))])
        if name.endswith(".csv"):
            return write_csv(folder / name, [*COLUMNS, COLUMNS[1]], table(angles))
        return write_mot(folder / name, angles, "inDegrees=yes", (*INPUT_COORDINATES, INPUT_COORDINATES[0]))

    return make


def latin_1(folder: Path) -> Path:
    file = write_csv(folder / "given.csv", [*COLUMNS, "note"], table(np.column_stack([pendulum_legs(), TIME_ONES])))
    file.write_bytes(file.read_bytes().replace(b"note", "Nähe".encode("latin-1")))
    return file


TIME_ONES = np.ones(len(pendulum_legs()))


def pipe(ending: str) -> Maker:
    def make(folder: Path) -> Path:
        os.mkfifo(folder / f"given{ending}")
        return folder / f"given{ending}"

    return make


def whole_zip(file: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive that is right for either command, and big enough to damage in the middle."""
    with zipfile.ZipFile(file, "w", method) as archive:
        rng = np.random.default_rng(1)
        angles = rng.normal(size=(12, 180, 10)) * 5
        for name, values in {**arrays("forces"), "X": angles, "in_cols": np.array(INPUT_COORDINATES)}.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(values, dtype=None if values.dtype != object else str))
    return file


def _patched(offset_in_headers: int, value: int) -> Callable[[Path], Path]:
    """Every member's header changed in both of its places: flags stand at 6 and 8, methods at 8 and 10."""

    def make(folder: Path) -> Path:
        file = whole_zip(folder / "given.npz")
        raw = bytearray(file.read_bytes())
        for mark, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
            at = raw.find(mark)
            while at >= 0:
                struct.pack_into("<H", raw, at + offset_in_headers + shift, value)
                at = raw.find(mark, at + 4)
        file.write_bytes(raw)
        return file

    return make


def damaged_zip(folder: Path) -> Path:
    file = whole_zip(folder / "given.npz")
    raw = bytearray(file.read_bytes())
    raw[3000:3050] = b"\xff" * 50
    file.write_bytes(raw)
    return file


def cut_zip(folder: Path) -> Path:
    file = whole_zip(folder / "given.npz")
    file.write_bytes(file.read_bytes()[:4000])
    return file


def twice_in_zip(folder: Path) -> Path:
    file = whole_zip(folder / "given.npz")
    with zipfile.ZipFile(file) as archive:
        first = archive.infolist()[0].filename, archive.read(archive.infolist()[0])
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr(*first)
    return file


def bomb(folder: Path) -> Path:
    """A hundred kilobytes that unpack to a hundred megabytes."""
    with zipfile.ZipFile(folder / "given.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", bytes(100 << 20))
    return folder / "given.npz"


def many_names(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "given.npz", "w") as archive:
        for number in range(20_001):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")
    return folder / "given.npz"


ARCHIVES: dict[str, tuple[Maker, str]] = {
    "encrypted": (_patched(6, 1), "encrypted. Unpack it with its password"),
    "unknown method": (_patched(8, 97), "packed by method 97"),
    "damaged": (damaged_zip, "Get the file again"),
    "cut": (cut_zip, "not a whole"),
    "a name twice": (twice_in_zip, "twice, expected each name once"),
    "bomb": (bomb, "times as many; expected at most"),
    "too many names": (many_names, "20,001 files in it, expected at most 20,000"),
    "named pipe": (pipe(".npz"), "a named pipe, socket or device"),
}
MOTIONS: dict[str, tuple[Maker, str]] = {
    "infinite angle, csv": (_csv(infinite), "hip_rotation_r is infinite at sample 7"),
    "infinite angle, mot": (_mot(infinite), "hip_rotation_r is not a number at 0.07 s"),
    "infinite angle, npz": (_npz(infinite), "NaN or infinity"),
    "absurd angle, csv": (
        _csv(absurd),
        "knee_angle_r is 4000 degrees at sample 7, and no joint goes beyond -40 to",
    ),
    "absurd angle, mot": (_mot(absurd), "knee_angle_r is 4000 degrees"),
    "absurd angle, npz": (_npz(absurd), "knee_angle_r is 4000 degrees"),
    "radians as degrees, csv": (_csv(radians), "these are radians, or nobody walks"),
    "radians as degrees, mot": (_mot(radians), "these are radians, or nobody walks"),
    "radians as degrees, npz": (_npz(radians), "these are radians, or nobody walks"),
    "column twice, csv": (_repeated("given.csv"), "has hip_flexion_r_deg twice"),
    "column twice, mot": (_repeated("given.mot"), "has hip_flexion_r twice"),
    "Latin-1, csv": (latin_1, "is not UTF-8"),
    "named pipe, csv": (pipe(".csv"), "a named pipe, socket or device"),
    "named pipe, mot": (pipe(".mot"), "a named pipe, socket or device"),
    "named pipe, toml": (pipe(".toml"), "a named pipe, socket or device"),
    "named pipe, c3d": (pipe(".c3d"), "a named pipe, socket or device"),
    "named pipe, trc": (pipe(".trc"), "a named pipe, socket or device"),
}


def _is_refused(done: Result, file: Path, said: str) -> None:
    assert done.exit_code == 2, (done.output, done.exception)
    assert file.name in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", [*MOTIONS, *ARCHIVES])
def test_predict_refuses(kind: str, run: Path, tmp_path: Path) -> None:
    make, said = {**MOTIONS, **ARCHIVES}[kind]
    file = make(tmp_path)

    _is_refused(_run("predict", file, "--run", run, "-o", tmp_path / "out.csv"), file, said)
    assert sorted(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("kind", ARCHIVES)
@pytest.mark.parametrize("option", ["--npz", "--archive", "checkpoint"])
def test_import_refuses(kind: str, option: str, tmp_path: Path) -> None:
    make, said = ARCHIVES[kind]
    file = make(tmp_path)
    if option == "checkpoint":
        done = _run("import", "checkpoint", file, "-o", tmp_path / "run")
        said = file.name if kind in ("encrypted", "unknown method", "damaged", "cut") else said
    else:
        subjects = tmp_path / "s.csv"
        subjects.write_text("subject_id,height_m,weight_kg\nH01,1.7,70\n")
        if option == "--archive" and kind in ("encrypted", "unknown method", "damaged"):
            file = _as_tables(file)
        more = ["--subjects", subjects] if option == "--archive" else []
        done = _run("import", "gait2hip60", "--warehouse", tmp_path / "w", option, file, *more)

    _is_refused(done, file, said)
    assert not (tmp_path / "w").exists() and not (tmp_path / "run").exists()


def _as_tables(file: Path) -> Path:
    """The same archive with its members named as motions, so that they are read."""
    file.write_bytes(file.read_bytes().replace(b".npy", b".mot"))
    return file


def test_angles_that_no_leg_has_are_not_imported(tmp_path: Path) -> None:
    for change, said in ((absurd, "knee_angle_r is 4000 degrees"), (radians, "these are radians")):
        given = arrays("forces")
        for cycle in given["X"]:
            change(cycle)
        file = tmp_path / "given.npz"
        np.savez(file, **given)  # type: ignore[arg-type]

        _is_refused(_run("import", "gait2hip60", "--warehouse", tmp_path / "w", "--npz", file), file, said)
        assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subject_id,height_m,weight_kg,height_m\nH01,1.7,70,1.8\n", "height_m twice"),
        ("subject_id,height_m,weight_kg,Größe\nH01,1.7,70,1\n", "is not UTF-8"),
    ],
)
def test_a_table_of_subjects_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    file.write_bytes(text.encode("latin-1"))

    done = _run("import", "gait2hip60", "--warehouse", tmp_path / "w", "--archive", tmp_path, "--subjects", file)

    _is_refused(done, file, said)


def not_numbers(folder: Path) -> str:
    from safetensors.torch import load, save

    weights = load((folder / WEIGHTS).read_bytes())
    next(iter(weights.values())).view(-1)[0] = torch.nan
    (folder / WEIGHTS).write_bytes(save(weights))
    return "weights hold NaN or infinity"


def deep_config(folder: Path) -> str:
    (folder / CONFIG).write_text('{"format": 1, "origin": ' + "[" * 100_000 + "]" * 100_000 + "}")
    return "nested more than 20 levels deep"


def endless_weights(folder: Path) -> str:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)
    return "a named pipe, socket or device"


@pytest.mark.parametrize("command", ["predict", "export-model"])
@pytest.mark.parametrize("spoil", [not_numbers, deep_config, endless_weights])
def test_a_run_is_refused(spoil: Callable[[Path], str], command: str, run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "spoilt"
    folder.mkdir()
    for file in run.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    said = spoil(folder)
    walk = write_mot(tmp_path / "walk.mot", pendulum_legs(), "inDegrees=yes")
    given = [walk, "--run", folder] if command == "predict" else [folder]

    _is_refused(_run(command, *given, "-o", tmp_path / ("a.csv" if command == "predict" else "a.onnx")), folder, said)


def test_a_model_that_never_ends_is_refused(run: Path, tmp_path: Path) -> None:
    model, walk = pipe(".osim")(tmp_path), tmp_path / "walk.c3d"
    walk.write_bytes(b"")

    done = _run("predict", walk, "--run", run, "--model", model, "-o", tmp_path / "a.csv")

    _is_refused(done, model, "a named pipe, socket or device")


def test_numbers_that_are_none_are_never_written(run: Path, tmp_path: Path) -> None:
    from models.predicting.trained_run import read_run

    good = read_run(run)
    with pytest.raises(ValueError, match="weights hold NaN or infinity"):
        replace(good, weights={name: values * torch.nan for name, values in good.weights.items()})


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("inf.csv", "is infinite at sample"),
        ("absurd.csv", "no joint goes beyond"),
        ("dupcol.csv", "has hip_rotation_r_deg twice"),
        ("rad.npz", "these are radians"),
        ("deep.toml", "nested more than 20 levels deep"),
    ],
)
def test_shared_faults_are_refused_by_predict(
    name: str, said: str, run: Path, shared_data: Path, tmp_path: Path
) -> None:
    file = shared_data / "c3d_faults" / "other" / name

    _is_refused(_run("predict", file, "--run", run, "-o", tmp_path / "out.csv"), file, said)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("encrypted.zip", "encrypted"),
        ("damaged_deflate.zip", "Get the file again"),
        ("unknown_method.zip", "packed by method"),
    ],
)
def test_shared_archives_are_refused_by_import(name: str, said: str, shared_data: Path, tmp_path: Path) -> None:
    file, subjects = shared_data / "c3d_faults" / "other" / name, tmp_path / "s.csv"
    subjects.write_text("subject_id,height_m,weight_kg\nH01,1.7,70\n")

    done = _run("import", "gait2hip60", "--warehouse", tmp_path / "w", "--archive", file, "--subjects", subjects)

    _is_refused(done, file, said)
