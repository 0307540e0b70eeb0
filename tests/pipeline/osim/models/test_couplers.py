from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import TrialRejected

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
couplers = pytest.importorskip("pipeline.osim.models.couplers")

NAMES = ("swing", "pointer_angle")
ANGLES_RAD = np.array([-0.5, 0.0, 0.3, 0.9])


def model_with(pendulum: Path, function: object, scale: float = 1.0) -> object:
    """The pendulum, its pointer coupled by another function."""
    model = osim.Model(str(pendulum))
    coupler = osim.CoordinateCouplerConstraint.safeDownCast(model.updConstraintSet().get(0))
    coupler.setFunction(function)
    osim.PropertyHelper.setValueDouble(scale, coupler.updPropertyByName("scale_factor"))
    model.finalizeConnections()
    model.initSystem()
    return model


def poses() -> np.ndarray:
    return np.column_stack([ANGLES_RAD, np.full(4, 9.0)])


def test_a_line_is_followed_and_folded(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    model = model_with(pendulum, osim.LinearFunction(0.5, 0.1), scale=2.0)
    found = couplers.Couplers(model, NAMES)
    assert found.dependent == {1}
    values = poses()
    found.follow(values)
    np.testing.assert_allclose(values[:, 1], 2 * (0.5 * ANGLES_RAD + 0.1), rtol=1e-15)
    forces = np.tile([5.0, 3.0], (4, 1))
    found.slopes(values).fold(forces)
    np.testing.assert_allclose(forces[:, 0], 5 + 2 * 0.5 * 3)


def test_a_curve_folds_by_its_slope_at_each_pose(pendulum: Path) -> None:
    square = osim.PolynomialFunction(osim.Vector.createFromMat(np.array([2.0, 0.0, 1.0])))  # 2 x² + 1
    found = couplers.Couplers(model_with(pendulum, square), NAMES)
    values = poses()
    found.follow(values)
    np.testing.assert_allclose(values[:, 1], 2 * ANGLES_RAD**2 + 1, rtol=1e-12)
    jacobian = np.ones((4, 6, 2))
    found.slopes(values).fold(jacobian)
    np.testing.assert_allclose(jacobian[..., 0], np.tile(1 + 4 * ANGLES_RAD, (6, 1)).T, rtol=1e-12)


def test_other_constraints_are_refused_by_name(pendulum: Path) -> None:
    model = osim.Model(str(pendulum))
    weld = osim.WeldConstraint()
    weld.setName("glue")
    weld.connectSocket_frame1(model.getGround())
    weld.connectSocket_frame2(model.getBodySet().get("bob"))
    model.addConstraint(weld)
    model.finalizeConnections()
    model.initSystem()
    with pytest.raises(TrialRejected, match=r"constrained by glue; engine `exact` knows coordinate couplers only"):
        couplers.Couplers(model, NAMES)


def test_a_line_over_several_drivers_is_asked_of_opensim() -> None:
    # Its coefficients are a slope for each driver, then the intercept: the first two alone would be wrong everywhere.
    several = osim.LinearFunction(osim.ArrayDouble(0.5, 3))

    assert couplers._line(osim.LinearFunction(0.5, 0.1)) == (0.5, 0.1)
    assert couplers._line(several) is None
