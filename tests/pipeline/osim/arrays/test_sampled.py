import numpy as np
import pytest

from pipeline.mechanics.arrays import Functions

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
sampled = pytest.importorskip("pipeline.osim.arrays.sampled")
tables = pytest.importorskip("pipeline.osim.arrays.functions")
unsupported = pytest.importorskip("pipeline.osim.arrays.unsupported")

POINTS = ((-0.7, 0.2), (0.0, 1.0), (0.4, -0.3), (1.1, 0.5), (1.3, 0.9), (2.0, 0.1), (2.6, 0.3), (3.0, -0.4))


def values(start: np.ndarray, coefficients: np.ndarray, x: np.ndarray, order: int = 0) -> np.ndarray:
    """Σ c_k (x − start)^k, or a derivative of it, from the piece that x lies in."""
    piece = np.clip(np.searchsorted(start, x, side="right") - 1, 0, len(start) - 1)
    h = x - start[piece]
    return np.array(
        [np.polynomial.Polynomial(c).deriv(order)(at) for c, at in zip(coefficients[piece], h, strict=True)]
    )


def in_table(functions: Functions, number: int, x: np.ndarray) -> np.ndarray:
    """A function of a table at x, its lines beyond both ends included."""
    rows = slice(functions.first[number], functions.first[number + 1])
    start, coefficients = functions.start[rows], functions.coefficients[rows]
    within = np.clip(x, functions.low[number], functions.high[number])
    return values(start, coefficients, within) + (x - within) * values(start, coefficients, within, 1)


def test_known_slopes_and_curvatures_have_no_jump() -> None:
    smooth = sampled.SmoothFunction(value=np.sin, slope=np.cos, curvature=lambda x: -np.sin(x))
    start, coefficients = sampled.quintic_pieces(smooth, [-4.0, 1.0, 7.0], "part")
    x = np.random.default_rng(1).uniform(-4, 7, 2000)
    assert 1.0 in start
    assert start[0] == -4.0
    for order, true, within in ((0, np.sin(x), 1e-12), (1, np.cos(x), 1e-10), (2, -np.sin(x), 1e-8)):
        np.testing.assert_allclose(values(start, coefficients, x, order), true, atol=within, rtol=0)
    before = np.nextafter(start[1:], -9)
    for order, within in ((0, 1e-14), (1, 1e-13), (2, 1e-12)):
        after = values(start, coefficients, start[1:], order)
        jump = values(start, coefficients, before, order) - after
        assert np.abs(jump).max() < within


def test_values_alone_are_enough() -> None:
    start, coefficients = sampled.quintic_pieces(sampled.SmoothFunction(value=np.exp), [-2.0, 2.0], "part")
    x = np.random.default_rng(1).uniform(-2, 2, 2000)
    np.testing.assert_allclose(values(start, coefficients, x), np.exp(x), atol=1e-12 * np.exp(2), rtol=0)
    assert len(start) < 60


def test_a_unit_asks_for_more_where_the_function_is_small() -> None:
    smooth = sampled.SmoothFunction(value=np.exp)
    start, coefficients = sampled.quintic_pieces(smooth, [0.0, 12.0], "part", unit=1.0)
    x = np.random.default_rng(1).uniform(0, 12, 3000)
    np.testing.assert_allclose(values(start, coefficients, x), np.exp(x), rtol=2e-12)


def test_a_polynomial_is_one_piece_between_its_knots() -> None:
    quintic = np.polynomial.Polynomial([1.0, -2.0, 0.5, 3.0, -1.0, 0.2])
    for derivatives in ({}, {"slope": quintic.deriv(), "curvature": quintic.deriv(2)}):
        smooth = sampled.SmoothFunction(value=quintic, **derivatives)
        start, coefficients = sampled.quintic_pieces(smooth, [0.0, 2.0], "part")
        assert len(start) == 1
        np.testing.assert_allclose(coefficients[0], quintic.coef, atol=1e-12)


def test_a_corner_at_a_knot_is_sharp_and_one_elsewhere_is_refused() -> None:
    corner = sampled.SmoothFunction(value=lambda x: np.abs(x - 0.3))
    start, coefficients = sampled.quintic_pieces(corner, [-1.0, 0.3, 1.0], "part")
    assert len(start) == 2
    np.testing.assert_allclose(values(start, coefficients, np.array([0.3, 0.4])), [0, 0.1], atol=1e-15)
    with pytest.raises(unsupported.Unsupported, match=r"the knee: 4000 quintic pieces don't make it exact to 1e-12"):
        sampled.quintic_pieces(
            sampled.SmoothFunction(value=lambda x: np.where(x < 0.3, 0.0, 1.0)), [-1.0, 1.0], "the knee"
        )


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(unsupported.Unsupported, match="the knee: not finite everywhere between 0 and 1"):
        sampled.quintic_pieces(
            sampled.SmoothFunction(value=lambda x: np.where(x < 0.6, x, np.nan)), [0.0, 1.0], "the knee"
        )


def spline(degree: int) -> "osim.GCVSpline":
    function = osim.GCVSpline()
    function.setDegree(degree)
    for x, y in POINTS:
        function.addPoint(x, y)
    return function


def through_points(kind: str) -> "osim.Function":
    function = getattr(osim, kind)()
    for x, y in POINTS:
        function.addPoint(x, y)
    return function


FUNCTIONS = {
    "straight": lambda: through_points("PiecewiseLinearFunction"),
    "steps": lambda: through_points("PiecewiseConstantFunction"),
    "smooth step": lambda: osim.StepFunction(-0.5, 1.5, 1.0, 4.0),
    "sine": lambda: osim.Sine(0.3, 2.0, 0.1, 0.5),
    "first degree": lambda: spline(1),
    "third degree": lambda: spline(3),
    "fifth degree": lambda: spline(5),
    "seventh degree": lambda: spline(7),
    "knots of a cubic": lambda: through_points("SimmSpline"),
}


@pytest.mark.parametrize("which", FUNCTIONS)
def test_opensims_functions_of_one_variable_are_what_they_are(which: str) -> None:
    function = FUNCTIONS[which]()
    table = tables.FunctionTable()
    number = table.add_function(function, "the knee", scale=1.5)
    x = np.random.default_rng(1).uniform(-10, 10, 700)
    if which != "steps":  # at a step OpenSim gives now the one side, now the other
        x = np.concatenate([x, [at for at, _ in POINTS]])
    true = 1.5 * np.array([function.calcValue(osim.Vector(1, each)) for each in x.tolist()])
    found = in_table(table.arrays(), number, x)
    np.testing.assert_allclose(found, true, atol=2e-12 * np.abs(true).max(), rtol=0)


def test_a_function_of_several_variables_is_named() -> None:
    function = osim.MultivariatePolynomialFunction()
    function.setDimension(2)
    function.setOrder(1)
    function.setCoefficients(osim.Vector(3, 1.0))
    with pytest.raises(unsupported.Unsupported, match="the knee: a MultivariatePolynomialFunction of other than one"):
        tables.FunctionTable().add_function(function, "the knee")
