"""The built-in model against the released file it takes its figures from, and against its own mirror image."""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.osim.models import default_model
from pipeline.osim.models.default_model import build_model, default_model_file, default_model_path
from pipeline.osim.models.rajagopal2016.tables import TABLES_FOLDER
from pipeline.records import ModelMarker

osim = pytest.importorskip("opensim")
osim_model = pytest.importorskip("pipeline.osim.models.model")

N_POSES = 500
SEED = 20160815
DISPLAY = {"Appearance", "FrameGeometry", "attached_geometry"}


@pytest.fixture(scope="module")
def built_file(tmp_path_factory):
    return default_model_file(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def built(built_file):
    return osim_model.load_model(built_file)


@pytest.fixture(scope="module")
def released(shared_data):
    return osim_model.load_model(shared_data / "opensim_reference" / "rajagopal2016" / "Rajagopal2016.osim")


@pytest.fixture(scope="module")
def poses(built):
    """Every coordinate anywhere in its range, the coupled patella's following its knee: (500, 39)."""
    coordinates = [built.getCoordinateSet().get(i) for i in range(built.getCoordinateSet().getSize())]
    names = [coordinate.getName() for coordinate in coordinates]
    low = np.array([coordinate.getRangeMin() for coordinate in coordinates])
    high = np.array([coordinate.getRangeMax() for coordinate in coordinates])
    drawn = np.random.default_rng(SEED).uniform(low, high, (N_POSES, len(names)))
    for side in "rl":
        drawn[:, names.index(f"knee_angle_{side}_beta")] = drawn[:, names.index(f"knee_angle_{side}")]
    return drawn


def objects(collection) -> list:
    return [collection.get(i) for i in range(collection.getSize())]


def realised(model, poses: np.ndarray) -> Iterator:
    state = model.getWorkingState()
    for pose in poses:
        osim_model.set_pose(model, state, pose)
        model.realizePosition(state)
        yield state


def muscle_lengths(model, poses: np.ndarray) -> np.ndarray:
    """(T, 80) metres."""
    muscles = objects(model.getMuscles())
    return np.array([[muscle.getLength(state) for muscle in muscles] for state in realised(model, poses)])


def moment_arms(model, poses: np.ndarray) -> np.ndarray:
    """(T, 80, speeds) metres, in Simbody's order: the generalized force of one newton in each muscle alone."""
    matter = model.getMatterSubsystem()
    paths = [osim.GeometryPath.safeDownCast(muscle.getPath()) for muscle in objects(model.getMuscles())]
    jacobian = osim.Matrix()
    matter.calcSystemJacobian(model.getWorkingState(), jacobian)
    n_bodies, n_speeds = jacobian.nrow() // 6, jacobian.ncol()
    none = osim.SpatialVec(osim.Vec3(0), osim.Vec3(0))
    arms = np.zeros((len(poses), len(paths), n_speeds))
    for frame, state in enumerate(realised(model, poses)):
        for i, path in enumerate(paths):
            on_bodies, direct = osim.VectorOfSpatialVec(n_bodies, none), osim.Vector(n_speeds, 0.0)
            path.addInEquivalentForces(state, 1.0, on_bodies, direct)
            through_bodies = osim.Vector(n_speeds, 0.0)
            matter.multiplyBySystemJacobianTranspose(state, on_bodies, through_bodies)
            arms[frame, i] = through_bodies.to_numpy() + direct.to_numpy()
    return arms


def full_forces(model_file: Path, poses: np.ndarray) -> np.ndarray:
    """(T, 80) newtons along the tendon, active and passive, at full activation, at rest, tendons stiff."""
    model = osim_model.load_model(model_file)
    osim_model.ignore_tendon_compliance(model)
    muscles = objects(model.getMuscles())
    state = model.getWorkingState()
    for muscle in muscles:
        muscle.setActivation(state, 1.0)
    forces = []
    for posed in realised(model, poses):
        model.realizeDynamics(posed)
        forces.append([muscle.getTendonForce(posed) for muscle in muscles])
    return np.array(forces)


def properties(component) -> dict[str, object]:
    """Everything a component's own XML says but how it looks, numbers as numbers."""
    return dict(_flat(ET.fromstring(component.dump()), ""))


def _flat(element: ET.Element, path: str) -> Iterator[tuple[str, object]]:
    for i, child in enumerate(item for item in element if item.tag not in DISPLAY):
        # The name of a wrap says nothing.
        name = "" if child.tag == "PathWrap" else child.get("name", "")
        here = f"{path}/{i}:{child.tag}:{name}"
        if len(child):
            yield from _flat(child, here)
        else:
            yield here, [_value(word) for word in (child.text or "").split()]


def _value(word: str) -> object:
    try:
        return float(word)
    except ValueError:
        return word


@pytest.mark.osim
@pytest.mark.data
@pytest.mark.parametrize("which", ["getBodySet", "getJointSet", "getConstraintSet", "getForceSet"])
def test_every_property_is_the_released_one(built, released, which):
    mine, theirs = objects(getattr(built, which)()), objects(getattr(released, which)())
    assert [item.getName() for item in mine] == [item.getName() for item in theirs]
    for one, other in zip(mine, theirs, strict=True):
        assert type(one) is type(other)
        if which == "getBodySet":  # the order of its wrapping surfaces means nothing
            assert sorted(map(str, bare(one).items())) == sorted(map(str, bare(other).items())), one.getName()
        else:
            assert properties(one) == properties(other), one.getName()
    assert built.get_gravity().to_numpy() == pytest.approx(released.get_gravity().to_numpy(), abs=0)


def bare(body) -> dict[str, object]:
    return {"".join(part.partition(":")[2] for part in path.split("/")): v for path, v in properties(body).items()}


@pytest.mark.osim
@pytest.mark.data
def test_coordinates_couplers_muscles_and_actuators_are_the_released_ones(built, released):
    mine, theirs = osim_model.summarise(built), osim_model.summarise(released)
    assert mine.coordinates == theirs.coordinates
    assert (len(mine.muscles), len(mine.driven_coordinates)) == (80, 17)
    assert (mine.muscles, mine.driven_coordinates) == (theirs.muscles, theirs.driven_coordinates)
    assert mine.body_mass_kg == theirs.body_mass_kg
    assert sum(mine.body_mass_kg.values()) == pytest.approx(75.337, abs=1e-3)


@pytest.mark.osim
@pytest.mark.data
def test_markers_are_where_the_released_model_has_them(built, released, poses):
    markers = objects(released.getMarkerSet())
    names = [marker.getName() for marker in markers]
    assert len(names) == 66
    fitted = built.clone()
    fitted.initSystem()
    osim_model.replace_markers(
        fitted,
        [
            ModelMarker(
                name=marker.getName(),
                body=marker.getParentFrame().findBaseFrame().getName(),
                location_m=tuple(marker.get_location().to_numpy()),
                fixed=False,
            )
            for marker in markers
        ],
    )
    error_m = [
        np.abs(osim_model.marker_positions(fitted, pose, names) - osim_model.marker_positions(released, pose, names))
        for pose in poses
    ]
    print(f"markers: largest difference {np.max(error_m):.1e} m")
    assert np.max(error_m) <= 1e-6


@pytest.mark.osim
@pytest.mark.data
def test_muscles_are_as_long_as_in_the_released_model(built, released, poses):
    mine = muscle_lengths(built, poses)
    error_m = np.abs(mine - muscle_lengths(released, poses))
    print(f"muscle-tendon lengths: largest difference {error_m.max():.1e} m")
    assert mine.shape == (N_POSES, 80)
    assert mine.std(axis=0).min() > 1e-4
    assert error_m.max() <= 1e-6


@pytest.mark.osim
@pytest.mark.data
def test_muscles_pull_at_the_released_moment_arms(built, released, poses):
    mine = moment_arms(built, poses)
    error_m = np.abs(mine - moment_arms(released, poses))
    print(f"moment arms: largest difference {error_m.max():.1e} m of {np.abs(mine).max():.3f} m")
    assert error_m.max() <= 1e-5


@pytest.mark.osim
@pytest.mark.data
def test_muscles_pull_as_hard_as_in_the_released_model(built_file, shared_data, poses):
    mine = full_forces(built_file, poses)
    theirs = full_forces(shared_data / "opensim_reference" / "rajagopal2016" / "Rajagopal2016.osim", poses)
    print(f"full force: largest difference {np.abs(mine - theirs).max():.1e} N of {mine.max():.0f} N")
    assert (mine.max(axis=0) > 50).all()
    assert np.abs(mine - theirs).max() <= 1e-3


@pytest.mark.osim
def test_left_muscles_mirror_right_ones(built, poses):
    names = [coordinate.getName() for coordinate in objects(built.getCoordinateSet())]
    symmetric = poses.copy()
    for i, name in enumerate(names):
        symmetric[:, i] = symmetric[:, names.index(to_right(name))]
    lengths = muscle_lengths(built, symmetric)
    error_m = np.abs(lengths[:, :40] - lengths[:, 40:])
    # The released file's toes hinge on axes 5e-6 rad from mirror images.
    print(f"left and right muscles in symmetric poses: largest difference {error_m.max():.1e} m")
    assert error_m.max() < 1e-6


def to_right(name: str) -> str:
    return re.sub("_l(?=_|$)", "_r", name)


@pytest.mark.osim
def test_building_twice_writes_the_same_bytes_and_nothing_else(built_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_model(tmp_path / "again" / "model.osim")
    assert (tmp_path / "again" / "model.osim").read_bytes() == built_file.read_bytes()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.osim"]


@pytest.mark.osim
def test_processes_that_build_at_once_leave_one_whole_model(built_file, tmp_path):
    program = (
        "import sys; sys.path[:0] = sys.argv[1].split(';'); from pathlib import Path; "
        "from pipeline.osim.models.default_model import default_model_file; "
        "print(default_model_file(Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", program, ";".join(sys.path), str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {process.communicate(timeout=120)[0].strip() for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert said == {str(tmp_path / built_file.name)}
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [built_file.read_bytes()]


def test_a_built_model_is_not_built_again(tmp_path, monkeypatch):
    default_model_path(tmp_path).write_text("built before")
    monkeypatch.setattr(default_model, "build_model", None)
    assert default_model_file(tmp_path).read_text() == "built before"


def test_another_opensim_or_another_figure_is_another_model(tmp_path, monkeypatch):
    before = default_model_path(tmp_path)
    assert before == default_model_path(tmp_path)
    monkeypatch.setattr(default_model, "opensim_version", lambda: "5.0")
    other_version = default_model_path(tmp_path)
    monkeypatch.undo()
    shutil.copytree(TABLES_FOLDER, tmp_path / "tables")
    muscles = tmp_path / "tables" / "muscles.csv"
    muscles.write_text(muscles.read_text("utf-8").replace("0.1031", "0.1032"), "utf-8")
    monkeypatch.setattr(default_model, "TABLES_FOLDER", tmp_path / "tables")
    assert len({before, other_version, default_model_path(tmp_path)}) == 3


def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"can't be written to .*file.*GAIT2HIP_CACHE.*--model FILE"):
        default_model_file(tmp_path / "file")


@pytest.mark.osim
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    class HalfWritten:
        def printToXML(self, path: str) -> bool:
            Path(path).write_text("<OpenSimDocument><Model>")
            return True

    import pipeline.osim.models.rajagopal2016.build as build

    monkeypatch.setattr(build, "assemble", lambda _: HalfWritten())
    with pytest.raises(ValueError, match="No space left"):
        default_model_file(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_naming_the_model_does_not_load_opensim():
    program = (
        "import sys; sys.path[:0] = sys.argv[1].split(';'); from pipeline.osim.models.default_model import *; "
        "default_model_path(cache_folder()); sys.exit('opensim' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, ";".join(sys.path)]).returncode == 0
