"""What only engine `exact` promises; what every engine must do is in test_engines.py."""

import gc
import resource
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.osim.engines import load_engine
from pipeline.records import Coordinates, KinematicsResult, Markers
from tests.pipeline.osim.settings import effort_settings, ik_settings
from tests.pipeline.osim.test_engines import FEET, rotated

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
exact = pytest.importorskip("pipeline.osim.exact.engine")

EFFORT = {
    "activation_exponent": 2,
    "use_muscle_physiology": True,
    "reserve_optimal_nm": 1.0,
    "residual_optimal_n": 1.0,
    "residual_optimal_nm": 1e-3,
    "convergence_criterion": 1e-4,
    "max_iterations": 1,
}


def changed(pendulum: Path, directory: Path, change: Callable[[object], None]) -> Path:
    """The pendulum with its swing coordinate, or more, changed."""
    model = osim.Model(str(pendulum))
    change(model)
    model.finalizeConnections()
    file = directory / "changed.osim"
    model.printToXML(str(file))
    return file


def swing_of(model: object) -> object:
    return model.updCoordinateSet().get("swing")


# `exact` passes over the accuracy it is asked for; the tool gives up at a bound if asked for much more than this, and
# stops short of a bound by so much.
SHORT_OF_BOUND_RAD = {"exact": 1e-8, "tools": 3e-3}
ACCURACY, ATOL = {"exact": 0.5, "tools": 1e-6}, {"exact": 1e-8, "tools": 1e-5}


def track(model: Path, markers: Markers, directory: Path, engine: str = "exact") -> KinematicsResult:
    weights = dict.fromkeys(markers.labels, 1.0)
    return load_engine(engine).inverse_kinematics(
        model, markers, marker_weights=weights, settings=ik_settings(ACCURACY[engine]), directory=directory
    )


def test_whatever_the_accuracy_says_it_converges(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    angle = 0.4 * np.sin(np.arange(70) / 8)
    found = track(pendulum, rotated(pendulum_kit.markers, angle), tmp_path)
    np.testing.assert_allclose(found.coordinates.column("swing"), angle, atol=1e-10)


def test_a_start_upside_down_is_found(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    angle = 2.9 + 0.05 * np.arange(3)
    free = changed(pendulum, tmp_path, lambda model: swing_of(model).setDefaultClamped(False))
    found = track(free, rotated(pendulum_kit.markers, angle), tmp_path)
    np.testing.assert_allclose(np.exp(1j * found.coordinates.column("swing")), np.exp(1j * angle), atol=1e-8)


BOTH = pytest.mark.parametrize("engine", ["exact", "tools"])


@BOTH
def test_a_clamped_coordinate_stays_in_its_range(
    engine: str, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    def clamp(model: object) -> None:
        swing_of(model).setRangeMax(0.2)
        swing_of(model).setDefaultClamped(True)

    angle = 0.4 * np.sin(np.arange(70) / 8)
    found = track(changed(pendulum, tmp_path, clamp), rotated(pendulum_kit.markers, angle), tmp_path, engine)
    np.testing.assert_allclose(
        found.coordinates.column("swing"), np.minimum(angle, 0.2), atol=SHORT_OF_BOUND_RAD[engine]
    )


@BOTH
def test_a_locked_coordinate_stays_where_it_is_locked(
    engine: str, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    def lock(model: object) -> None:
        model.updConstraintSet().clearAndDestroy()
        pointer = model.updCoordinateSet().get("pointer_angle")
        pointer.setDefaultValue(0.7)
        pointer.setDefaultLocked(True)

    markers = rotated(pendulum_kit.markers, np.full(4, 0.3))
    found = track(changed(pendulum, tmp_path, lock), markers, tmp_path, engine)
    np.testing.assert_allclose(found.coordinates.values, np.tile([0.3, 0.7], (4, 1)), atol=ATOL[engine])


def test_a_prescribed_coordinate_follows_its_function(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    def prescribe(model: object) -> None:
        model.updConstraintSet().clearAndDestroy()
        pointer = model.updCoordinateSet().get("pointer_angle")
        pointer.setPrescribedFunction(osim.LinearFunction(3.0, 0.1))
        pointer.setDefaultIsPrescribed(True)

    markers = rotated(pendulum_kit.markers, np.full(4, 0.3))
    found = track(changed(pendulum, tmp_path, prescribe), markers, tmp_path)
    np.testing.assert_allclose(found.coordinates.column("pointer_angle"), 3 * markers.time_s + 0.1, atol=1e-12)


def test_what_no_marker_shows_stays_at_its_default(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    def uncouple(model: object) -> None:
        model.updConstraintSet().clearAndDestroy()
        model.updCoordinateSet().get("pointer_angle").setDefaultValue(0.25)

    found = track(changed(pendulum, tmp_path, uncouple), rotated(pendulum_kit.markers, np.full(40, 0.3)), tmp_path)
    np.testing.assert_array_equal(found.coordinates.column("pointer_angle"), 0.25)


def test_a_task_for_no_coordinate_is_the_callers_fault(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    from pipeline.records import CoordinateTask

    markers = rotated(pendulum_kit.markers, np.full(4, 0.3))
    with pytest.raises(ValueError, match="no coordinate wing to hold"):
        exact.inverse_kinematics(
            pendulum,
            markers,
            marker_weights=dict.fromkeys(markers.labels, 1.0),
            coordinate_tasks=[CoordinateTask(name="wing", weight=1.0, value=None)],
            settings=ik_settings(1e-5),
            directory=tmp_path,
        )


def test_a_foot_that_the_model_lacks_is_named(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    held = pendulum_kit.swing(np.full(20, 0.4))
    push = pendulum_kit.push(held.time_s, (0, 1, 0), (0, 0, 0))
    with pytest.raises(TrialRejected, match=r"model pendulum has no body nobody"):
        exact.inverse_dynamics(
            pendulum, held, [push], foot_bodies={"right": "nobody"}, mechanics="corrected", directory=tmp_path
        )


def test_what_muscles_can_not_give_is_said_with_the_coordinate(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    """A motor of 1 N·m drives the pin, so that it gets no reserve: a fast swing asks for more than all can give."""

    def motor(model: object) -> None:
        actuator = osim.CoordinateActuator("swing")
        actuator.setName("motor")
        actuator.setOptimalForce(1.0)
        actuator.setMinControl(-1.0)
        actuator.setMaxControl(1.0)
        model.addForce(actuator)

    angle = 0.5 * np.sin(30 * np.arange(40) / 100)
    found = exact.static_optimization(
        changed(pendulum, tmp_path, motor),
        pendulum_kit.swing(angle),
        [],
        foot_bodies=FEET,
        mechanics="corrected",
        settings=effort_settings(**EFFORT),
        directory=tmp_path,
    )
    assert found.actuator_coordinates == ("swing",)
    assert not found.converged.all()
    assert set(found.short_of[~found.converged]) == {"swing"}
    assert set(found.short_of[found.converged]) <= {""}
    assert np.abs(found.actuator_force).max() <= 1 + 1e-9


def test_linear_effort_is_refused(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exponent 1"):
        exact.static_optimization(
            pendulum,
            pendulum_kit.swing(np.full(12, 0.4)),
            [],
            foot_bodies=FEET,
            mechanics="corrected",
            settings=effort_settings(**EFFORT | {"activation_exponent": 1}),
            directory=tmp_path,
        )


def test_a_changed_file_is_read_again(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    markers = rotated(pendulum_kit.markers, np.full(4, 0.3))
    file = changed(pendulum, tmp_path, lambda model: None)
    assert track(file, markers, tmp_path).coordinates.column("swing")[0] == pytest.approx(0.3)

    def clamp(model: object) -> None:
        swing_of(model).setRangeMax(0.2)
        swing_of(model).setDefaultClamped(True)

    changed(pendulum, tmp_path, clamp)
    assert track(file, markers, tmp_path).coordinates.column("swing")[0] == pytest.approx(0.2)


@pytest.fixture
def ball_jointed(pendulum_kit: SimpleNamespace, tmp_path: Path) -> Path:
    """A bob that turns about its hook by a quaternion."""
    model = osim.Model()
    model.setName("flail")
    bob = osim.Body("bob", 2.0, osim.Vec3(0, -0.5, 0), osim.Inertia(0.1, 0.1, 0.1))
    hook = osim.BallJoint("hook", model.getGround(), bob)
    model.addBody(bob)
    model.addJoint(hook)
    markers = []
    for name, place in pendulum_kit.markers.items():
        marker = osim.Marker(name, bob, osim.Vec3(*place))
        markers.append(marker)
        model.addMarker(marker)
    model.finalizeConnections()
    file = tmp_path / "flail.osim"
    model.printToXML(str(file))
    return file


def test_a_model_that_arrays_can_not_say_is_refused_by_name_with_advice(
    ball_jointed: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    markers = rotated(pendulum_kit.markers, np.full(4, 0.3))
    said = r"model flail, joint hook: a BallJoint .*can't be computed with it\. docs/engines\.md lists what to put"
    with pytest.raises(TrialRejected, match=said) as found:
        track(ball_jointed, markers, tmp_path)
    assert found.value.stage == "model"
    still = Coordinates(
        time_s=np.arange(8) / 100,
        names=tuple(f"hook_coord_{i}" for i in range(3)),
        rotational=np.ones(3, dtype=bool),
        values=np.zeros((8, 3)),
    )
    with pytest.raises(TrialRejected, match=said):
        exact.inverse_dynamics(ball_jointed, still, [], foot_bodies=FEET, mechanics="corrected", directory=tmp_path)
    with pytest.raises(TrialRejected, match=said):
        exact.static_optimization(
            ball_jointed,
            still,
            [],
            foot_bodies=FEET,
            mechanics="corrected",
            settings=effort_settings(**EFFORT),
            directory=tmp_path,
        )


def test_engine_tools_takes_it(ball_jointed: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    found = track(ball_jointed, rotated(pendulum_kit.markers, np.full(4, 0.3)), tmp_path, "tools")
    assert found.marker_error_m.max() < 1e-4
    names = [f"hook_coord_{i}" for i in range(3)]
    assert load_engine("tools").loading_feet(ball_jointed, FEET) == dict.fromkeys(names, frozenset(FEET))


@pytest.mark.long
@pytest.mark.data
def test_memory_stays_flat(shared_data: Path, tmp_path: Path) -> None:
    """Two hundred trials in one process, each with a model of its own; the tool leaks 35 MB each."""
    from tests.parity.conftest import read_tasks_file, read_trc_file
    from tests.parity.walking_3d import FEET as BODIES
    from tests.parity.walking_3d import smooth_markers, wrench

    folder = shared_data / "opensim_reference" / "walking_3d"
    weights, _ = read_tasks_file(folder / "ik_tasks_walk.xml")
    markers = smooth_markers(read_trc_file(folder / "markers_walk.trc", 0.0, 10.0)).cut(slice(0, 40))
    wrenches = [wrench(folder, side) for side in ("right", "left")]
    text = (folder / "subject_walk_scaled.osim").read_text()
    peak_mb = []
    for trial in range(200):
        model = tmp_path / f"{trial}.osim"
        model.write_text(text)
        motion = exact.inverse_kinematics(
            model, markers, marker_weights=weights, settings=ik_settings(1e-5), directory=tmp_path
        ).coordinates
        exact.static_optimization(
            model,
            motion,
            wrenches,
            foot_bodies=BODIES,
            mechanics="corrected",
            settings=effort_settings(**EFFORT),
            directory=tmp_path,
        )
        model.unlink()
        gc.collect()
        peak_mb.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(f"\npeak after 20 trials {peak_mb[19]:.0f} MB, after 200 {peak_mb[-1]:.0f} MB")
    assert peak_mb[-1] < 1000
    assert peak_mb[-1] - peak_mb[19] < 50


@pytest.mark.data
def test_made_ready_a_walk_compiles_nothing(shared_data: Path, tmp_path: Path) -> None:
    from benchmarks.engines import read_walk
    from pipeline.mechanics.kernel_cache import nothing_compiled
    from pipeline.mechanics.warm_up import ready
    from tests.parity.walking_3d import FEET as WALKING_FEET

    walk = read_walk(shared_data / "opensim_reference" / "walking_3d")
    some, feet = walk.markers.cut(slice(0, 40)), {"foot_bodies": WALKING_FEET, "mechanics": "corrected"}
    some.positions_m[20:30, 3] = np.nan
    ready()
    with nothing_compiled():
        found = exact.inverse_kinematics(
            walk.model, some, marker_weights=walk.weights, settings=ik_settings(1e-6), directory=tmp_path
        ).coordinates
        moments = exact.inverse_dynamics(walk.model, found, walk.wrenches, directory=tmp_path, **feet)
        settings = effort_settings(**EFFORT)
        forces = exact.static_optimization(
            walk.model, found, walk.wrenches, settings=settings, directory=tmp_path, **feet
        )
        laid = exact.laid_muscles(walk.model, found, forces, mechanics="corrected")
        exact.muscle_balance(walk.model, found, moments, forces, laid)
        exact.joint_loads(walk.model, found, walk.wrenches, laid, **feet)
