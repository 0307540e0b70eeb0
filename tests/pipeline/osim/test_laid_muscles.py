"""Muscles along a motion, by arrays and by OpenSim: lengths, speeds, what they do, and steps where an end enters."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.records import MuscleForces
from pipeline.session.recipe import load_recipe
from pipeline.solving.path_steps import path_step_warnings, unexplained_change_m

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
laying = pytest.importorskip("pipeline.osim.laid_muscles")

SETTINGS = load_recipe("gait2hip60").quality
TIME_S = np.arange(120) / 100
ANGLE_RAD = 0.3 + 0.5 * np.sin(4 * TIME_S)
RADIUS_M = 0.03


def pulled(n_frames: int, names: tuple[str, ...] = ("front", "back")) -> MuscleForces:
    return MuscleForces(
        time_s=np.arange(n_frames) / 100,
        muscle_names=names,
        activation=np.zeros((n_frames, 2)),
        force_n=np.tile([300.0, 120.0], (n_frames, 1)),
        actuator_coordinates=(),
        actuator_force=np.zeros((n_frames, 0)),
        converged=np.ones(n_frames, dtype=bool),
        short_of=np.full(n_frames, ""),
    )


@pytest.fixture(scope="module")
def entered(pendulum: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The front muscle passes in front of a cylinder that its lower end swings into."""
    model = osim.Model(str(pendulum))
    cylinder = osim.WrapCylinder()
    cylinder.setName("bump")
    cylinder.set_radius(RADIUS_M)
    cylinder.set_length(0.5)
    cylinder.set_quadrant("x")
    cylinder.set_translation(osim.Vec3(0.3 * np.sin(0.5), -0.3 * np.cos(0.5), 0))
    model.getGround().addWrapObject(cylinder)
    osim.GeometryPath.safeDownCast(model.updMuscles().get("front").updPath()).addPathWrap(cylinder)
    model.finalizeConnections()
    file = tmp_path_factory.mktemp("entered") / "entered.osim"
    model.printToXML(str(file))
    return file


def test_lengths_and_speeds_are_those_of_straight_muscles(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    motion = pendulum_kit.swing(ANGLE_RAD)
    laid = laying.laid_muscles(pendulum, motion, pulled(120), mechanics="corrected")
    x, y, _ = pendulum_kit.insertion_m
    cos, sin = np.cos(ANGLE_RAD), np.sin(ANGLE_RAD)
    end = np.stack([x * cos - y * sin, x * sin + y * cos], axis=1)
    for i, origin in enumerate(pendulum_kit.muscles.values()):
        length = np.linalg.norm(end - np.array(origin[:2]), axis=1)
        np.testing.assert_allclose(laid.length_m[:, i], length, atol=1e-12)
        slope = np.gradient(length, TIME_S)
        np.testing.assert_allclose(laid.lengthening_m_s[2:-2, i], slope[2:-2], atol=2e-3)
    assert path_step_warnings(laid, SETTINGS) == ()
    assert np.abs(unexplained_change_m(laid)).max() < 2e-5


def test_opensim_lays_them_alike(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    motion = pendulum_kit.swing(ANGLE_RAD)
    ours = laying.laid_muscles(pendulum, motion, pulled(120), mechanics="opensim")
    theirs = laying.laid_by_opensim(pendulum, motion, pulled(120))
    for name in ("length_m", "lengthening_m_s", "direct"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-9, err_msg=name)
    np.testing.assert_allclose(ours.wrenches, theirs.wrenches, atol=1e-7)


@pytest.mark.parametrize("mechanics", ["corrected", "opensim"])
def test_an_end_that_enters_its_surface_is_a_step(entered: Path, pendulum_kit: SimpleNamespace, mechanics: str) -> None:
    motion = pendulum_kit.swing(ANGLE_RAD)
    laid = laying.laid_muscles(entered, motion, pulled(120), mechanics=mechanics)
    inside = np.abs(2 * 0.3 * np.sin((ANGLE_RAD - 0.5) / 2)) < RADIUS_M
    passes = np.flatnonzero(np.diff(inside.astype(int)))
    assert len(passes) == 4
    told = np.abs(unexplained_change_m(laid)[:, 0]) > SETTINGS.min_path_step_m
    assert set(np.flatnonzero(told)) <= set(passes)
    (warning,) = path_step_warnings(laid, SETTINGS)
    assert f"front in {int(told.sum())} frames (by " in warning
    by_opensim = path_step_warnings(laying.laid_by_opensim(entered, motion, pulled(120)), SETTINGS)
    assert [one.split(" (by")[0] for one in by_opensim] == [warning.split(" (by")[0]]


def test_of_other_muscles_or_times_nothing_is_laid(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    motion = pendulum_kit.swing(ANGLE_RAD)
    with pytest.raises(ValueError, match="of other muscles"):
        laying.laid_muscles(pendulum, motion, pulled(120, ("front", "left")), mechanics="corrected")
    with pytest.raises(ValueError, match="some are not among the coordinates' 60"):
        laying.laid_muscles(pendulum, motion.cut(slice(0, 60)), pulled(120), mechanics="corrected")
