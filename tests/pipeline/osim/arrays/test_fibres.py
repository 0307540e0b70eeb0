"""Against OpenSim, muscle by muscle: its active force as it computes it, and Millard's equation from its own curves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.mechanics.arrays import NO_SLIP, NORMALISED_PENNATION, Fibres
from pipeline.mechanics.muscles.fibres import fibre_tensions

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
reader = pytest.importorskip("pipeline.osim.arrays.fibres")
models = pytest.importorskip("pipeline.osim.models.model")
unsupported = pytest.importorskip("pipeline.osim.arrays.unsupported")

CLASSES = (
    "Millard2012EquilibriumMuscle",
    "Millard2012AccelerationMuscle",
    "Thelen2003Muscle",
    "DeGrooteFregly2016Muscle",
    "RigidTendonMuscle",
)
MODELS = {
    "walking_3d": "opensim_reference/walking_3d/subject_walk_scaled.osim",
    "gait2392, Millard": "opensim_reference/gait2392/gait2392_millard2012muscle.osim",
    "gait2392, Thelen": "opensim_reference/gait2392/gait2392_thelen2003muscle.osim",
}
STRENGTH_N, OPTIMAL_M, TENDON_M, FASTEST = 1000.0, 0.1, 0.2, 9.0


class Slider(NamedTuple):
    """A muscle along a rail, whose length and speed are those of a coordinate."""

    model: Any
    state: Any
    muscle: Any

    def at(self, length_m: float, speed_m_s: float = 0.0) -> Any:
        """The muscle with its path so long and so fast, and its state."""
        coordinate = self.model.getCoordinateSet().get(0)
        coordinate.setValue(self.state, length_m, False)
        coordinate.setSpeedValue(self.state, speed_m_s)
        self.model.realizeVelocity(self.state)
        return self.muscle


Change = Callable[[Any], object]


def slider(kind: str, pennation_rad: float = 0.35, change: Change = lambda muscle: None, *others: Change) -> Slider:
    """A muscle, changed, and others of its kind beside it."""
    model = osim.Model()
    body = osim.Body("body", 1.0, osim.Vec3(0), osim.Inertia(1.0))
    model.addBody(body)
    rail = osim.SliderJoint("rail", model.getGround(), body)
    model.addJoint(rail)
    muscles = [getattr(osim, kind)() for _ in (change, *others)]
    for muscle, changed, name in zip(muscles, (change, *others), ("calf", "other"), strict=False):
        muscle.setName(name)
        muscle.setMaxIsometricForce(STRENGTH_N)
        muscle.setOptimalFiberLength(OPTIMAL_M)
        muscle.setTendonSlackLength(TENDON_M)
        muscle.setPennationAngleAtOptimalFiberLength(pennation_rad)
        muscle.setMaxContractionVelocity(FASTEST)
        changed(muscle)
        muscle.addNewPathPoint("origin", model.getGround(), osim.Vec3(0))
        muscle.addNewPathPoint("insertion", body, osim.Vec3(0))
        model.addForce(muscle)
    model.finalizeConnections()
    models.ignore_tendon_compliance(model)
    return Slider(model, model.initSystem(), getattr(osim, kind).safeDownCast(model.getMuscles().get(0)))


def tensions(fibres: Fibres, path_m: np.ndarray, speed_m_s: np.ndarray, as_opensim: bool) -> np.ndarray:
    """Active and passive tension (2, T, U) at lengths and speeds (T, U)."""
    return np.stack(fibre_tensions(fibres, path_m, speed_m_s, as_opensim))


def alone(fibres: Fibres, path_m: np.ndarray, speed_m_s: np.ndarray, as_opensim: bool) -> np.ndarray:
    """Active and passive tension (2, T) of a model's only muscle."""
    return tensions(fibres, path_m[:, None], speed_m_s[:, None], as_opensim)[:, :, 0]


def sweep(n: int, seed: int, shortest: float = -0.3) -> tuple[np.ndarray, np.ndarray]:
    """Lengths from slack to torn, and speeds beyond the fastest, of the slider's muscle."""
    random = np.random.default_rng(seed)
    path_m = TENDON_M + OPTIMAL_M * random.uniform(shortest, 1.9, n)
    return path_m, OPTIMAL_M * FASTEST * random.uniform(-1.6, 1.6, n)


@pytest.mark.parametrize("pennation_rad", [0.0, 0.35, 0.9])
@pytest.mark.parametrize("kind", CLASSES)
def test_active_force_is_opensims(kind: str, pennation_rad: float) -> None:
    held = slider(kind, pennation_rad)
    path_m, speed_m_s = sweep(300, seed=1)
    expected = [
        held.at(*pair).calcInextensibleTendonActiveFiberForce(held.state, 1.0)
        for pair in zip(path_m.tolist(), speed_m_s.tolist(), strict=True)
    ]
    found, _ = alone(reader.read_fibres(held.model), path_m, speed_m_s, as_opensim=True)
    np.testing.assert_allclose(found, expected, atol=1e-8 * STRENGTH_N, rtol=0)
    assert max(expected) > 0.9 * STRENGTH_N
    # Where the path is slack, but for the slips that let it pull.
    assert (found == 0).any() or kind in ("DeGrooteFregly2016Muscle", "RigidTendonMuscle")


@pytest.mark.data
@pytest.mark.parametrize("which", MODELS)
def test_active_force_of_every_muscle_is_opensims(shared_data: Path, which: str) -> None:
    model = models.load_stiff_model(shared_data / MODELS[which])
    fibres, state, muscles = reader.read_fibres(model), model.getWorkingState(), model.getMuscles()
    model.realizeVelocity(state)
    random = np.random.default_rng(2)
    shape = (25, muscles.getSize())
    path_m = fibres.tendon_m + fibres.optimal_m * random.uniform(-0.2, 1.8, shape)
    speed_m_s = fibres.optimal_m * fibres.fastest_per_s * random.uniform(-1.3, 1.3, shape)
    expected = np.empty(shape)
    for u in range(shape[1]):
        muscle = muscles.get(u)
        path = osim.GeometryPath.safeDownCast(muscle.getPath())
        path.getLengtheningSpeed(state)  # the path's own, before it is put aside
        for t in range(shape[0]):
            path.setLength(state, path_m[t, u])
            path.setLengtheningSpeed(state, speed_m_s[t, u])
            expected[t, u] = muscle.calcInextensibleTendonActiveFiberForce(state, 1.0)
    found, _ = tensions(fibres, path_m, speed_m_s, as_opensim=True)
    np.testing.assert_allclose(found / fibres.strength_n, expected / fibres.strength_n, atol=1e-8, rtol=0)
    assert (expected / fibres.strength_n).max() > 1.2


@pytest.mark.parametrize("kind", ["Millard2012EquilibriumMuscle", "Millard2012AccelerationMuscle"])
@pytest.mark.parametrize("pennation_rad", [0.0, 0.5])
def test_millards_muscle_keeps_millards_equation(kind: str, pennation_rad: float) -> None:
    """Millard et al. 2013, J Biomech Eng 135:021005: F = Fmax (a fl fv + fp) cos α, with α at the fibre's length."""
    held = slider(kind, pennation_rad)
    muscle = held.muscle
    path_m, speed_m_s = sweep(300, seed=3, shortest=0.5)
    along, thickness = path_m - TENDON_M, OPTIMAL_M * np.sin(pennation_rad)
    fibre = np.hypot(along, thickness)
    cosine = along / fibre
    curves = muscle.getActiveForceLengthCurve(), muscle.getForceVelocityCurve(), muscle.getFiberForceLengthCurve()
    at = fibre / OPTIMAL_M, speed_m_s * cosine / (OPTIMAL_M * FASTEST), fibre / OPTIMAL_M
    fl, fv, fp = (np.array([curve.calcValue(x) for x in each.tolist()]) for curve, each in zip(curves, at, strict=True))
    found = alone(reader.read_fibres(held.model), path_m, speed_m_s, as_opensim=False)
    np.testing.assert_allclose(found[0], STRENGTH_N * fl * fv * cosine, atol=1e-8 * STRENGTH_N, rtol=0)
    np.testing.assert_allclose(found[1], STRENGTH_N * fp * cosine, atol=1e-8 * STRENGTH_N, rtol=0)


def thelen(length: np.ndarray, speed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Active and passive multipliers of Thelen 2003, J Biomech Eng 125:70, eqs. 3, 4 and 6, solved for the force."""
    fl, bend, longest = np.exp(-((length - 1) ** 2) / 0.45), 0.25, 1.4
    stretch = (2 + 2 / bend) / (longest - 1)
    fv = np.where(speed <= 0, (1 + speed) / (1 - speed / bend), (1 + stretch * longest * speed) / (1 + stretch * speed))
    fp = (np.exp(5 * (length - 1) / 0.6) - 1) / (np.exp(5) - 1)
    return fl * fv, np.maximum(fp, 0.0)


def de_groote(length: np.ndarray, speed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """De Groote et al. 2016, Ann Biomed Eng 44:2922, with the constants of OpenSim's class."""
    bells = (
        (0.8150671134243542, 1.055033428970575, 0.162384573599574, 0.063303448465465),
        (0.433004984392647, 0.716775413397760, -0.029947116970696, 0.200356847296188),
        (0.1, 1.0, 0.353553390593274, 0.0),
    )
    fl = sum(height * np.exp(-0.5 * ((length - at) / (a + b * length)) ** 2) for height, at, a, b in bells)
    slope = -8.149 * speed - 0.374
    fv = -0.3211346127989808 * np.log(slope + np.sqrt(slope**2 + 1)) + 0.8825327733249912
    zero = np.exp(4 * (0.2 - 1) / 0.6)
    return fl * fv, (np.exp(4 * (length - 1) / 0.6) - zero) / (np.exp(4) - zero)


@pytest.mark.parametrize(("kind", "law"), [("Thelen2003Muscle", thelen), ("DeGrooteFregly2016Muscle", de_groote)])
def test_other_classes_keep_their_published_equations(kind: str, law: Callable[..., Any]) -> None:
    path_m, speed_m_s = sweep(200, seed=4, shortest=0.5)
    speed_m_s /= 10  # within Thelen's hyperbola, before his line
    along, thickness = path_m - TENDON_M, OPTIMAL_M * np.sin(0.35)
    fibre = np.hypot(along, thickness)
    cosine = along / fibre
    active, passive = law(fibre / OPTIMAL_M, speed_m_s * cosine / (OPTIMAL_M * FASTEST))
    found = alone(reader.read_fibres(slider(kind).model), path_m, speed_m_s, as_opensim=False)
    np.testing.assert_allclose(found[0], STRENGTH_N * active * cosine, atol=1e-8 * STRENGTH_N, rtol=0)
    np.testing.assert_allclose(found[1], STRENGTH_N * passive * cosine, rtol=1e-8, atol=1e-8 * STRENGTH_N)


@pytest.mark.parametrize("kind", CLASSES)
def test_passive_tension_is_opensims_multiplier_along_the_tendon(kind: str) -> None:
    held = slider(kind)
    path_m, speed_m_s = sweep(100, seed=5, shortest=0.5)
    along, thickness = path_m - TENDON_M, OPTIMAL_M * np.sin(0.35)
    expected = []
    for length, fibre in zip(path_m.tolist(), np.hypot(along, thickness).tolist(), strict=True):
        muscle = held.at(length)
        if kind in ("Thelen2003Muscle", "Millard2012AccelerationMuscle"):  # whose tendons can't be stiff
            muscle.setStateVariableValue(held.state, "fiber_length", fibre)
        cosine = muscle.getCosPennationAngle(held.state)
        expected.append(STRENGTH_N * muscle.getPassiveForceMultiplier(held.state) * cosine)
    fibres = reader.read_fibres(held.model)
    for as_opensim in (False, True):
        _, found = alone(fibres, path_m, speed_m_s, as_opensim)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * STRENGTH_N)
    assert max(expected) > STRENGTH_N


@pytest.mark.parametrize("kind", CLASSES)
def test_corrected_force_is_continuous_bounded_and_zero_where_slack(kind: str) -> None:
    fibres = reader.read_fibres(slider(kind).model)
    path_m = TENDON_M + OPTIMAL_M * np.linspace(-0.5, 1.9, 20001)
    rest = np.zeros_like(path_m)
    full, passive = alone(fibres, path_m, rest, as_opensim=False)
    assert full.min() == passive.min() == 0
    assert full.max() < 1.05 * STRENGTH_N
    assert not full[path_m < TENDON_M].any()
    assert not passive[path_m < TENDON_M].any()
    # Thelen's fibre loses its force at once at the shortest length that OpenSim lets it have.
    apart = np.abs(np.diff(full)) < 1e-3 * STRENGTH_N
    assert apart.all() or (kind == "Thelen2003Muscle" and (~apart).sum() == 1 and full[:-1][~apart] == 0)
    speeds = OPTIMAL_M * FASTEST * np.linspace(-3, 3, 4001)
    at_speed, _ = alone(fibres, np.full_like(speeds, TENDON_M + OPTIMAL_M), speeds, as_opensim=False)
    assert at_speed.min() == 0
    assert np.abs(np.diff(at_speed)).max() < 0.02 * STRENGTH_N


@pytest.mark.data
def test_muscles_share_their_curves(shared_data: Path) -> None:
    model = models.load_stiff_model(shared_data / MODELS["walking_3d"])
    fibres = reader.read_fibres(model)
    assert len(fibres.strength_n) == 80
    assert len(fibres.curves.functions.low) == 3
    assert set(fibres.slip) == {NORMALISED_PENNATION}
    assert all(array.flags.c_contiguous for array in (*fibres[:-1], *fibres.curves[1:], *fibres.curves.functions))


def test_muscles_with_other_curves_have_their_own() -> None:
    held = slider("Thelen2003Muscle", 0.35, lambda muscle: None, lambda muscle: muscle.set_KshapeActive(0.6))
    fibres = reader.read_fibres(held.model)
    assert fibres.active[0] != fibres.active[1]
    assert fibres.velocity[0] == fibres.velocity[1]
    assert set(fibres.slip) == {NO_SLIP}


BAD = (
    ("maximum isometric force is 0 N", lambda muscle: muscle.setMaxIsometricForce(0.0)),
    ("maximum isometric force is nan N", lambda muscle: muscle.setMaxIsometricForce(np.nan)),
    ("optimal fibre length is -0.1 m", lambda muscle: muscle.setOptimalFiberLength(-0.1)),
    ("optimal fibre length is 10 m, expected 0-1 m", lambda muscle: muscle.setOptimalFiberLength(10.0)),
    ("tendon slack length is -0.2 m", lambda muscle: muscle.setTendonSlackLength(-0.2)),
    ("pennation angle is 1.6 rad", lambda muscle: muscle.setPennationAngleAtOptimalFiberLength(1.6)),
    ("pennation angle is -0.1 rad", lambda muscle: muscle.setPennationAngleAtOptimalFiberLength(-0.1)),
    ("maximum contraction velocity is 0 per", lambda muscle: muscle.setMaxContractionVelocity(0.0)),
)


@pytest.mark.parametrize(("message", "spoil"), BAD, ids=[message for message, _ in BAD])
def test_an_impossible_parameter_is_named(message: str, spoil: Callable[[Any], None]) -> None:
    held = slider("Millard2012EquilibriumMuscle")
    spoil(held.muscle)  # OpenSim itself refuses some of them, but only when it reads a file
    with pytest.raises(TrialRejected, match=f"muscle calf: its {message}") as caught:
        reader.read_fibres(held.model)
    assert caught.value.stage == "model"


@pytest.mark.parametrize(
    ("name", "value"), [("KshapeActive", 0.0), ("Flen", 1.0), ("Af", np.nan), ("fv_linear_extrap_threshold", 1.0)]
)
def test_thelens_impossible_shapes_are_named(name: str, value: float) -> None:
    held = slider("Thelen2003Muscle")
    getattr(held.muscle, f"set_{name}")(value)
    with pytest.raises(TrialRejected, match=f"muscle calf: its {name} is {value:g}"):
        reader.read_fibres(held.model)


@pytest.mark.parametrize(
    ("curve", "value", "message"),
    [
        ("active_force_length_curve", -1.0, "its active force-length curve goes from -1 to -1"),
        ("force_velocity_curve", np.nan, "its force-velocity curve goes from nan to nan"),
        ("passive_force_length_curve", 500.0, "its passive force-length curve goes from 500 to 500"),
    ],
)
def test_a_curve_that_no_fibre_has_is_named(curve: str, value: float, message: str) -> None:
    held = slider("RigidTendonMuscle", change=lambda muscle: getattr(muscle, f"set_{curve}")(osim.Constant(value)))
    with pytest.raises(TrialRejected, match=f"muscle calf: {message}"):
        reader.read_fibres(held.model)


def test_a_curve_of_several_variables_is_not_supported() -> None:
    function = osim.MultivariatePolynomialFunction()
    function.setDimension(2)
    function.setOrder(1)
    function.setCoefficients(osim.Vector(3, 0.5))
    held = slider("RigidTendonMuscle")
    held.muscle.set_active_force_length_curve(function)
    with pytest.raises(unsupported.Unsupported, match="muscle calf: its active force-length curve: a Multivariate"):
        reader.read_fibres(held.model)


def test_another_class_is_not_supported() -> None:
    with pytest.raises(unsupported.Unsupported, match="muscle calf: a MeyerFregly2016Muscle"):
        reader.read_fibres(slider("MeyerFregly2016Muscle").model)
