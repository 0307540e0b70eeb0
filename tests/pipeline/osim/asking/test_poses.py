from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import TrialRejected

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
poses = pytest.importorskip("pipeline.osim.asking.poses")


def hung_by(joint: object, body: object) -> object:
    model = osim.Model()
    model.setName("hung")
    model.addBody(body)
    model.addJoint(joint(model.getGround(), body))
    model.initSystem()
    return model


def bob() -> object:
    return osim.Body("bob", 2.0, osim.Vec3(0, -0.5, 0), osim.Inertia(0.1, 0.1, 0.1))


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("FreeJoint", ()),
        ("BallJoint", ()),
        ("EllipsoidJoint", ((0.1, 0.2, 0.3),)),
        ("ScapulothoracicJoint", ((0.1, 0.2, 0.3), (0.1, 0.1), 0.2)),
    ],
)
def test_joints_with_quaternions_are_refused_by_name(kind: str, shape: tuple) -> None:
    vectors = {3: osim.Vec3, 2: osim.Vec2}
    more = [vectors[len(one)](*one) if isinstance(one, tuple) else one for one in shape]
    model = hung_by(lambda ground, body: getattr(osim, kind)("hook", ground, body, *more), bob())
    with pytest.raises(
        TrialRejected, match=rf"model hung turns hook \({kind}\) otherwise than one coordinate"
    ) as found:
        poses.Poses(model)
    assert found.value.stage == "model"


@pytest.mark.parametrize("kind", ["PinJoint", "SliderJoint", "UniversalJoint", "GimbalJoint", "PlanarJoint"])
def test_joints_of_one_coordinate_after_the_other_are_driven(kind: str) -> None:
    model = hung_by(lambda ground, body: getattr(osim, kind)("hook", ground, body), bob())
    driven = poses.Poses(model)
    values = np.random.default_rng(0).normal(scale=0.3, size=(3, len(driven.names)))
    speeds = np.random.default_rng(1).normal(size=values.shape)
    body = model.getBodySet().get("bob")
    rotation, origin_m = driven.transforms(values, ["bob"])
    step_s = 1e-6
    ahead, behind = (driven.transforms(values + sign * step_s * speeds, ["bob"]) for sign in (1, -1))
    turning = np.einsum("tij,tkj->tik", (ahead[0] - behind[0])[:, 0] / (2 * step_s), rotation[:, 0])
    for t in driven.moving(values, speeds):
        moved = body.getVelocityInGround(driven.state)
        told = [turning[t, 2, 1], turning[t, 0, 2], turning[t, 1, 0]]
        np.testing.assert_allclose(moved.get(0).to_numpy(), told, atol=1e-8)
        np.testing.assert_allclose(moved.get(1).to_numpy(), (ahead[1] - behind[1])[t, 0] / (2 * step_s), atol=1e-8)
        place = body.getTransformInGround(driven.state)
        np.testing.assert_allclose(origin_m[t, 0], place.p().to_numpy(), atol=1e-15)
        told = np.array([[place.R().get(i, j) for j in range(3)] for i in range(3)])
        np.testing.assert_allclose(rotation[t, 0], told, atol=1e-14)


def test_a_state_is_left_as_it_was_found(pendulum: Path) -> None:
    model = osim.Model(str(pendulum))
    state = model.initSystem()
    before = state.getU().to_numpy().copy(), state.getQ().to_numpy().copy()
    poses.Poses(model)
    np.testing.assert_array_equal(model.getWorkingState().getU().to_numpy(), before[0])
    np.testing.assert_array_equal(model.getWorkingState().getQ().to_numpy(), before[1])
