from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.osim.engines import load_engine
from pipeline.records import MuscleForces
from tests.pipeline.osim.settings import effort_settings
from tests.pipeline.osim.test_engines import EFFORT, FEET

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
asking = pytest.importorskip("pipeline.osim.asking.muscles")
shared_models = pytest.importorskip("pipeline.osim.models.shared_model")
laid = pytest.importorskip("tests.pipeline.osim.laid")

CLASSES = (
    "Millard2012EquilibriumMuscle",
    "Millard2012AccelerationMuscle",
    "Thelen2003Muscle",
    "DeGrooteFregly2016Muscle",
    "RigidTendonMuscle",
)
ANGLES_RAD = np.array([-0.5, 0.0, 0.3, 0.9])
FIBRE_M, TENDON_M, PENNATION_RAD, STRENGTH_N = 0.3, 0.15, 0.2, 1000.0


@pytest.fixture
def muscled(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> Callable[[str], Path]:
    """The pendulum with pennate muscles of another class, short enough that the swing stretches them."""

    def build(kind: str) -> Path:
        model = osim.Model(str(pendulum))
        model.updForceSet().clearAndDestroy()
        for name, origin in pendulum_kit.muscles.items():
            muscle = getattr(osim, kind)()
            muscle.setName(name)
            muscle.setMaxIsometricForce(STRENGTH_N)
            muscle.setOptimalFiberLength(FIBRE_M)
            muscle.setTendonSlackLength(TENDON_M)
            muscle.setPennationAngleAtOptimalFiberLength(PENNATION_RAD)
            muscle.setMinControl(0.01)
            muscle.addNewPathPoint("origin", model.getGround(), osim.Vec3(*origin))
            muscle.addNewPathPoint("insertion", model.getBodySet().get("bob"), osim.Vec3(*pendulum_kit.insertion_m))
            model.addForce(muscle)
        model.finalizeConnections()
        file = tmp_path / f"{kind}.osim"
        model.printToXML(str(file))
        return file

    return build


def spans(kit: SimpleNamespace, angle_rad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each muscle's length and its moment arm about the pin, (T, 2) each, from geometry alone."""
    x, y, _ = kit.insertion_m
    at = np.column_stack([x * np.cos(angle_rad) - y * np.sin(angle_rad), x * np.sin(angle_rad) + y * np.cos(angle_rad)])
    way = np.array([origin[:2] for origin in kit.muscles.values()]) - at[:, None]
    length = np.linalg.norm(way, axis=2)
    return length, (at[:, None, 0] * way[..., 1] - at[:, None, 1] * way[..., 0]) / length


def stiff_fibre(length_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normalised fibre length and cosine of pennation beside a tendon that doesn't stretch."""
    along, thickness = length_m - TENDON_M, FIBRE_M * np.sin(PENNATION_RAD)
    fibre = np.hypot(along, thickness)
    return fibre / FIBRE_M, along / fibre


def thelen(fibre: np.ndarray) -> np.ndarray:
    """Thelen (2003, J Biomech Eng 125:70, eq. 3) with its shape 5 and strain 0.6."""
    return np.maximum(0.0, (np.exp(5 * (fibre - 1) / 0.6) - 1) / (np.exp(5) - 1))


def de_groote(fibre: np.ndarray) -> np.ndarray:
    """De Groote et al. (2016, Ann Biomed Eng 44:2922), zero at 0.2 optimal lengths as OpenSim's class has it."""
    zero = np.exp(4 * (0.2 - 1) / 0.6)
    return (np.exp(4 * (fibre - 1) / 0.6) - zero) / (np.exp(4) - zero)


@pytest.mark.parametrize(("kind", "curve"), [("Thelen2003Muscle", thelen), ("DeGrooteFregly2016Muscle", de_groote)])
def test_passive_tension_is_the_published_curves(
    muscled: Callable[[str], Path],
    pendulum_kit: SimpleNamespace,
    kind: str,
    curve: Callable[[np.ndarray], np.ndarray],
) -> None:
    fibre, cosine = stiff_fibre(spans(pendulum_kit, ANGLES_RAD)[0])
    assert fibre.max() > 1.2, "stretched, or nothing is tested"
    shared = shared_models.shared_model(muscled(kind))
    found = asking.asked_passive_tension(shared.model, pendulum_kit.swing(ANGLES_RAD).values)
    np.testing.assert_allclose(found, STRENGTH_N * curve(fibre) * cosine, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", CLASSES)
def test_passive_tension_does_not_depend_on_the_way_there(
    muscled: Callable[[str], Path], pendulum_kit: SimpleNamespace, kind: str
) -> None:
    """Fibre lengths are states of some classes: none may be left from the frame before."""
    shared = shared_models.shared_model(muscled(kind))
    there = asking.asked_passive_tension(shared.model, pendulum_kit.swing(ANGLES_RAD).values)
    back = asking.asked_passive_tension(shared.model, pendulum_kit.swing(ANGLES_RAD[::-1]).values)
    np.testing.assert_array_equal(there, back[::-1])
    assert (there.max(axis=0) > 20).all()


def optimized(
    engine: str, model: Path, kit: SimpleNamespace, angle_rad: np.ndarray, directory: Path, **changes: object
) -> MuscleForces:
    settings = effort_settings(**EFFORT | {"convergence_criterion": 1e-8} | changes)
    return load_engine(engine).static_optimization(
        model,
        kit.swing(angle_rad),
        [],
        foot_bodies=FEET,
        mechanics="opensim",
        settings=settings,
        directory=directory,
    )


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_of_muscle_gives_what_the_tool_gives(
    muscled: Callable[[str], Path], pendulum_kit: SimpleNamespace, kind: str, tmp_path: Path
) -> None:
    model, angle = muscled(kind), 0.3 + 0.1 * np.sin(np.arange(8) / 20)
    ours, theirs = (
        optimized(engine, model, pendulum_kit, angle, tmp_path / engine, residual_optimal_nm=10.0)
        for engine in ("exact", "tools")
    )
    assert ours.converged.all()
    # The strength of a newton's activation is the same to rounding; the tool's optimum to its criterion.
    strength, their_strength = (one.force_n / one.activation for one in (ours, theirs))
    np.testing.assert_allclose(strength, their_strength, rtol=1e-4)
    np.testing.assert_allclose(ours.force_n, theirs.force_n, atol=0.05)


@pytest.mark.parametrize("kind", CLASSES)
def test_passive_fibres_take_their_share_and_the_whole_tension_balances(
    muscled: Callable[[str], Path], pendulum_kit: SimpleNamespace, kind: str, tmp_path: Path
) -> None:
    model, angle = muscled(kind), np.full(12, 0.4)
    held = pendulum_kit.swing(angle)
    active, whole = (
        optimized("exact", model, pendulum_kit, angle, tmp_path, passive_fibre_force=passive)
        for passive in (False, True)
    )
    passive_n = asking.asked_passive_tension(shared_models.shared_model(model).model, held.values)
    strength = active.force_n / active.activation
    np.testing.assert_allclose(whole.force_n, strength * whole.activation + passive_n, rtol=1e-9)
    arm = spans(pendulum_kit, angle)[1]
    weight = pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(angle)
    for found in (active, whole):
        made = (found.force_n * arm).sum(axis=1) + found.actuator_force[:, 0]
        np.testing.assert_allclose(made, weight, rtol=1e-6)
    asked = load_engine("exact").inverse_dynamics(
        model, held, [], foot_bodies=FEET, mechanics="corrected", directory=tmp_path
    )
    assert np.abs(laid.balance_by(model, held, asked, whole, "corrected").values).max() <= 1e-8
    assert np.abs(whole.activation - active.activation).max() > 1e-3


def test_passive_force_is_not_the_tools(muscled: Callable[[str], Path], pendulum_kit: SimpleNamespace, tmp_path: Path):
    with pytest.raises(ValueError, match="engine 'tools' optimizes without passive fibre force"):
        optimized("tools", muscled(CLASSES[0]), pendulum_kit, np.full(12, 0.4), tmp_path, passive_fibre_force=True)


def test_a_fibre_with_states_of_its_own_is_refused_by_name() -> None:
    """No class that OpenSim is built with has any, but a plug-in's may."""
    names = osim.ArrayStr()
    for name in ("/forceset/odd/activation", "/forceset/odd/titin"):
        names.append(name)
    odd = SimpleNamespace(
        getStateVariableNames=lambda: names, getName=lambda: "odd", getConcreteClassName=lambda: "TitinMuscle"
    )
    mine = SimpleNamespace(getName=lambda: "mine")
    with pytest.raises(TrialRejected, match=r"muscle odd, a TitinMuscle, has states \(titin\)"):
        asking._keeps_its_fibre(mine, odd)


NO_PATHS, NO_FIBRES = {"paths": None, "opensim_paths": None}, {"fibres": None}


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.pipeline.osim.ten_dof import build_ten_dof

    return build_ten_dof(tmp_path_factory.mktemp("ten_dof") / "ten_dof.osim")


def solved(model: Path, mechanics: str, passive: bool, directory: Path) -> tuple[MuscleForces, np.ndarray, np.ndarray]:
    """Muscle forces of a walker's few frames, what they leave unbalanced (T, F), and its joints' loads (T, J, 3)."""
    from tests.pipeline.osim.test_ten_dof import FEET as BODIES
    from tests.pipeline.osim.test_ten_dof import motion, standing

    exact = load_engine("exact")
    walk = motion(shared_models.shared_model(model).names).cut(slice(16, 24))
    given = {"foot_bodies": BODIES, "mechanics": mechanics}
    push = [standing(walk.time_s)]
    forces = exact.static_optimization(
        model,
        walk,
        push,
        **given,
        settings=effort_settings(
            **EFFORT
            | {"reserve_optimal_nm": 10.0, "residual_optimal_n": 10.0, "residual_optimal_nm": 10.0}
            | {"passive_fibre_force": passive, "convergence_criterion": 1e-4}
        ),
        directory=directory,
    )
    asked = exact.inverse_dynamics(model, walk, push, **given, directory=directory)
    surplus = laid.balance_by(model, walk, asked, forces, mechanics)
    loads = laid.loads_by(model, walk, push, forces, **given)
    assert loads.joints == ("knee_r", "ankle_r", "knee_l", "ankle_l")
    return forces, surplus.values, loads.in_distal_n


@pytest.mark.parametrize("passive", [False, True], ids=["active", "passive too"])
@pytest.mark.parametrize(
    ("none", "mechanics"),
    [(NO_PATHS, "opensim"), (NO_PATHS, "corrected"), (NO_FIBRES, "opensim"), (NO_PATHS | NO_FIBRES, "opensim")],
    ids=["paths", "paths, by the laws", "fibres", "both"],
)
def test_muscles_that_opensim_is_asked_for_are_the_same(
    walker: Path, none: dict[str, None], mechanics: str, passive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, surplus, loads = solved(walker, mechanics, passive, tmp_path)
    shared = shared_models.shared_model(walker)
    lacking = replace(shared, muscles=replace(shared.muscles, **none))
    monkeypatch.setattr(shared_models, "_last", [(walker.read_bytes(), lacking)])
    asked, asked_surplus, asked_loads = solved(walker, mechanics, passive, tmp_path)
    assert ours.converged.all()
    assert asked.converged.all()
    np.testing.assert_allclose(asked.force_n, ours.force_n, atol=1e-4)
    np.testing.assert_allclose(asked.actuator_force, ours.actuator_force, atol=1e-5)
    np.testing.assert_allclose(asked_loads, loads, atol=1e-3)
    assert max(np.abs(surplus).max(), np.abs(asked_surplus).max()) <= 1e-8


def test_a_path_over_an_ellipsoid_is_asked_of_opensim(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    model = osim.Model(str(pendulum))
    surface = osim.WrapEllipsoid()
    surface.setName("egg")
    surface.set_dimensions(osim.Vec3(0.04, 0.05, 0.06))
    surface.set_translation(osim.Vec3(-0.01, 0.0, 0.0))
    model.getGround().addWrapObject(surface)
    path = osim.GeometryPath.safeDownCast(model.updMuscles().get("front").getPath())
    path.addPathWrap(surface)
    model.finalizeConnections()
    file = tmp_path / "egg.osim"
    model.printToXML(str(file))
    shared = shared_models.shared_model(file)
    assert shared.muscles.asked == ("muscle front, wrapping surface egg: a WrapEllipsoid",)
    assert shared.muscles.fibres is not None
    source = load_engine("exact").muscle_source(file)
    assert (source.asked, source.why) == (("paths",), shared.muscles.asked)
    assert load_engine("tools").muscle_source(file).asked == load_engine("exact").muscle_source(pendulum).asked == ()
    angle = -0.4 + 0.1 * np.sin(np.arange(8) / 20)
    ours, theirs = (
        optimized(engine, file, pendulum_kit, angle, tmp_path / engine, residual_optimal_nm=10.0)
        for engine in ("exact", "tools")
    )
    straight = spans(pendulum_kit, angle)[0][:, 0]
    around = asking.asked_muscles(shared.model, pendulum_kit.swing(angle).values, np.zeros((8, 2))).length_m[:, 0]
    assert (around > straight + 1e-3).all(), "the path lies on the ellipsoid"
    assert ours.converged.all()
    np.testing.assert_allclose(ours.force_n, theirs.force_n, atol=0.05)
    held = pendulum_kit.swing(angle)
    asked = load_engine("exact").inverse_dynamics(
        file, held, [], foot_bodies=FEET, mechanics="opensim", directory=tmp_path
    )
    surplus = laid.balance_by(file, held, asked, ours, "opensim")
    assert np.abs(surplus.values).max() <= 1e-8


@pytest.mark.parametrize("engine", ["exact", "tools"])
def test_a_path_that_is_a_function_is_refused_with_the_reason_before_anything_is_solved(
    engine: str, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    """It has moment arms, but pulls on no bone: nobody could say what the joints carry."""
    model = osim.Model(str(pendulum))
    function, length = osim.FunctionBasedPath(), osim.LinearFunction(0.1, 0.5)
    function.setName("path")
    function.setLengthFunction(length)
    function.appendCoordinatePath("/jointset/pivot/swing")
    model.updMuscles().get("front").set_path(function)
    model.finalizeConnections()
    file = tmp_path / "function.osim"
    model.printToXML(str(file))
    assert "FunctionBasedPath" in shared_models.shared_model(file).muscles.asked[0]
    with pytest.raises(
        TrialRejected,
        match=r"paths of front \(a FunctionBasedPath\) tell .* not where they pull on bones.*Put GeometryPaths",
    ):
        optimized(engine, file, pendulum_kit, np.full(12, 0.4), tmp_path)
    assert not list(tmp_path.glob("*.sto"))
