"""Joint contact forces against OpenSim's analysis JointReaction, given the same muscles' and actuators' forces."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import CoordinateTask, Markers
from tests.parity.walking_3d import CUT_SHORT, FEET, ITERATED, Walk, solved_walk
from tests.pipeline.osim.settings import effort_settings

pytestmark = [pytest.mark.osim, pytest.mark.data]
engines = pytest.importorskip("pipeline.osim.engines")
compared_paths = pytest.importorskip("pipeline.osim.compared_paths")
joint_reaction = pytest.importorskip("tests.parity.joint_reaction")

SOME, LONG = slice(38, 66), slice(0, 134)
# The analysis differentiates a spline of its own, which differs where the motion begins and ends.
INNER = slice(10, -10)
RecordLargest = Callable[[str, float, str, str], None]


@pytest.fixture(scope="module")
def walk(
    shared_data: Path,
    read_trc: Callable[[Path, float, float], Markers],
    read_tasks: Callable[[Path], tuple[dict[str, float], list[CoordinateTask]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Walk:
    folder = shared_data / "opensim_reference" / "walking_3d"
    weights, _ = read_tasks(folder / "ik_tasks_walk.xml")
    markers = read_trc(folder / "markers_walk.trc", 0.0, 10.0)
    return solved_walk(folder, markers, weights, tmp_path_factory.mktemp("walk"))


def apart_n(walk: Walk, model: Path, frames: slice, directory: Path) -> tuple[np.ndarray, np.ndarray]:
    """How far the engine is from the analysis within these frames, (T, 6, 3) in distal axes and in proximal ones."""
    exact, motion, settings = engines.load_engine("exact"), walk.motion.cut(frames), effort_settings()
    forces = exact.static_optimization(
        model,
        motion,
        walk.wrenches,
        foot_bodies=FEET,
        mechanics="opensim",
        settings=settings,
        directory=directory / "so",
    )
    assert forces.converged.all()
    laid = exact.laid_muscles(model, motion, forces, mechanics="opensim")
    ours = exact.joint_loads(model, motion, walk.wrenches, laid, foot_bodies=FEET, mechanics="opensim")
    theirs = joint_reaction.reaction_forces(
        model, motion, walk.wrenches, forces, FEET, settings, directory / "reaction"
    )
    assert ours.joints == tuple(f"{joint}_{side}" for side in "rl" for joint in joint_reaction.JOINTS)
    assert np.abs(theirs[0]).max() > 1000, "the ground and muscles press the joints"
    return np.abs(ours.in_distal_n - theirs[0])[INNER], np.abs(ours.in_proximal_n - theirs[1])[INNER]


def record(what: str, apart: tuple[np.ndarray, np.ndarray], limit: str, record_largest: RecordLargest) -> None:
    for frame, values in zip(("distal", "proximal"), apart, strict=True):
        for j, joint in enumerate(joint_reaction.JOINTS):
            record_largest(f"{what}, {joint}, {frame} axes", values[:, [j, j + 3]].max(), "{:.1e} N", limit)


def one_surface(walk: Walk, muscles: tuple[str, ...], directory: Path) -> Path:
    file: Path = compared_paths.with_one_surface(walk.model, muscles, directory / "one_surface.osim")
    return file


def test_some_frames(walk: Walk, tmp_path: Path, record_largest: RecordLargest) -> None:
    """Where OpenSim iterates no path."""
    apart = apart_n(walk, one_surface(walk, ITERATED, tmp_path), SOME, tmp_path)
    record("exact: walking_3d joint loads, from JointReaction", apart, "0.1 N", record_largest)
    assert max(each.max() for each in apart) <= 0.1


@pytest.mark.long
def test_the_whole_walk(walk: Walk, tmp_path: Path, record_largest: RecordLargest) -> None:
    apart = apart_n(walk, one_surface(walk, ITERATED, tmp_path), LONG, tmp_path)
    record("exact: walking_3d joint loads, from JointReaction", apart, "0.1 N", record_largest)
    assert max(each.max() for each in apart) <= 0.1


@pytest.mark.long
@pytest.mark.parametrize("taken", [CUT_SHORT, ()], ids=["gasmed's", "gasmed's and gaslat's"])
def test_with_paths_over_two_surfaces(
    walk: Walk, taken: tuple[str, ...], tmp_path: Path, record_largest: RecordLargest
) -> None:
    """Told only: where OpenSim's iteration ends, a path is up to 0.1 degrees off, and its pull with it."""
    apart = apart_n(walk, one_surface(walk, taken, tmp_path), SOME, tmp_path)
    what = "gasmed over two surfaces" if taken else "gasmed and gaslat over two surfaces"
    record(f"exact: walking_3d joint loads, {what}, from JointReaction", apart, "", record_largest)
