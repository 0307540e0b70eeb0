from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.mechanics.bodies.poses import coupling_slopes, fold, follow_couplings

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
functions = pytest.importorskip("pipeline.osim.arrays.functions")
trees = pytest.importorskip("pipeline.osim.arrays.tree")
unsupported = pytest.importorskip("pipeline.osim.arrays.unsupported")

ANGLES_RAD = np.array([-0.5, 0.0, 0.3, 0.9])


def coupler_of(model: object) -> object:
    return osim.CoordinateCouplerConstraint.safeDownCast(model.updConstraintSet().get(0))


def model_with(pendulum: Path, function: object, scale: float = 1.0) -> object:
    """The pendulum, its pointer coupled by another function."""
    model = osim.Model(str(pendulum))
    coupler_of(model).setFunction(function)
    osim.PropertyHelper.setValueDouble(scale, coupler_of(model).updPropertyByName("scale_factor"))
    model.finalizeConnections()
    model.initSystem()
    return model


def read(model: object) -> object:
    return trees.read_tree(model, functions.FunctionTable())[0]


def test_bodies_and_couplers_of_the_pendulum(pendulum: Path) -> None:
    model = osim.Model(str(pendulum))
    model.initSystem()
    tree, bodies = trees.read_tree(model, functions.FunctionTable())
    assert bodies == ("ground", "bob", "pointer")
    assert tree.parent.tolist() == [0, 0, 1]
    assert (tree.dependent.tolist(), tree.driver.tolist()) == ([1], [0])
    assert tree.mass_kg[1] == 2.0


def test_a_line_is_followed_and_folded(pendulum: Path) -> None:
    tree = read(model_with(pendulum, osim.LinearFunction(0.5, 0.1), scale=2.0))
    values = np.column_stack([ANGLES_RAD, np.full(4, 9.0)])
    follow_couplings(tree, values)
    np.testing.assert_allclose(values[:, 1], 2 * (0.5 * ANGLES_RAD + 0.1), rtol=1e-15)
    forces = np.tile([5.0, 3.0], (4, 1))
    fold(tree, coupling_slopes(tree, values), forces)
    np.testing.assert_allclose(forces[:, 0], 5 + 2 * 0.5 * 3)


def test_a_curve_folds_by_its_slope_at_each_pose(pendulum: Path) -> None:
    square = osim.PolynomialFunction(osim.Vector.createFromMat(np.array([2.0, 0.0, 1.0])))  # 2 x² + 1
    tree = read(model_with(pendulum, square))
    values = np.column_stack([ANGLES_RAD, np.full(4, 9.0)])
    follow_couplings(tree, values)
    np.testing.assert_allclose(values[:, 1], 2 * ANGLES_RAD**2 + 1, rtol=1e-12)
    jacobian = np.ones((4, 6, 2))
    fold(tree, coupling_slopes(tree, values), jacobian)
    np.testing.assert_allclose(jacobian[..., 0], np.tile(1 + 4 * ANGLES_RAD, (6, 1)).T, rtol=1e-12)


def test_other_constraints_are_named(pendulum: Path) -> None:
    model = osim.Model(str(pendulum))
    weld = osim.WeldConstraint()
    weld.setName("glue")
    weld.connectSocket_frame1(model.getGround())
    weld.connectSocket_frame2(model.getBodySet().get("bob"))
    model.addConstraint(weld)
    model.finalizeConnections()
    model.initSystem()
    with pytest.raises(unsupported.Unsupported, match="constraint glue: a WeldConstraint"):
        read(model)


def test_couplers_in_a_circle_are_refused_by_name(pendulum: Path) -> None:
    model = osim.Model(str(pendulum))
    back, names = osim.CoordinateCouplerConstraint(), osim.ArrayStr()
    back.setName("back")
    names.append("pointer_angle")
    back.setIndependentCoordinateNames(names)
    back.setDependentCoordinateName("swing")
    function = osim.LinearFunction(1.0, 0.0)
    back.setFunction(function)
    model.addConstraint(back)
    model.finalizeConnections()
    model.initSystem()
    with pytest.raises(TrialRejected, match=r"drive each other in a circle: pointer_angle, swing; correct them"):
        read(model)


@pytest.mark.parametrize("mass_kg", [-1.0, float("nan")])
def test_a_mass_that_can_t_be_is_refused_by_name(pendulum: Path, mass_kg: float) -> None:
    model = osim.Model(str(pendulum))
    model.initSystem()
    model.updBodySet().get("bob").setMass(mass_kg)
    with pytest.raises(TrialRejected, match="body bob of model pendulum has a mass of"):
        read(model)


def test_a_joint_with_quaternions_is_named() -> None:
    model = osim.Model()
    body = osim.Body("bob", 2.0, osim.Vec3(0), osim.Inertia(1, 1, 1))
    hook = osim.BallJoint("hook", model.getGround(), body)
    model.addBody(body)
    model.addJoint(hook)
    model.initSystem()
    with pytest.raises(unsupported.Unsupported, match="joint hook: a BallJoint turns otherwise"):
        read(model)
