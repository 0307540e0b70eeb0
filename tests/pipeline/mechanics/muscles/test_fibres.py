"""Against Hill's equation written out, with curves that are parabolas and lines."""

from typing import NamedTuple

import numpy as np
import pytest

from pipeline.mechanics.arrays import (
    NO_PENNATION,
    NO_SLIP,
    NORMALISED_PENNATION,
    PATH_SPEED,
    FibreCurves,
    Fibres,
    Functions,
)
from pipeline.mechanics.muscles.fibres import fibre_tensions

STRENGTH_N, OPTIMAL_M, TENDON_M, PENNATION_RAD, FASTEST = 800.0, 0.08, 0.2, 0.4, 10.0
THICKNESS_M = OPTIMAL_M * np.sin(PENNATION_RAD)
SHORTEST_M = 1.01 * THICKNESS_M


class Case(NamedTuple):
    length: np.ndarray
    cosine: np.ndarray


def active(length: np.ndarray) -> np.ndarray:
    return np.maximum(1 - ((length - 1) / 0.7) ** 2, 0.0)


def velocity(speed: np.ndarray) -> np.ndarray:
    """A line: beyond the fastest shortening it is negative, as some classes' curves are."""
    return 1 + speed


def passive(length: np.ndarray) -> np.ndarray:
    return np.maximum(length - 1, 0.0) ** 2


def fibres(slip: int = NO_SLIP, shortest_m: float = SHORTEST_M, n: int = 1) -> Fibres:
    functions = Functions(
        first=np.array([0, 3, 4, 6]),
        start=np.array([0.0, 0.3, 1.7, 0.0, 0.0, 1.0]),
        coefficients=np.array(
            [
                [0, 0, 0, 0, 0, 0],
                [0, 2 / 0.7, -1 / 0.49, 0, 0, 0],
                [0, 0, 0, 0, 0, 0],
                [1, 1, 0, 0, 0, 0],
                [0, 0, 0, 0, 0, 0],
                [0, 0, 1, 0, 0, 0],
            ],
            dtype=float,
        ),
        low=np.array([0.0, -np.inf, 0.0]),
        high=np.array([2.0, np.inf, 3.0]),
    )
    curves = FibreCurves(
        functions=functions,
        per_unit=np.array([3 / 1.7, 0.0, 2.0]),
        first_bin=np.array([0, 3, 4, 6]),
        piece=np.array([0, 1, 1, 3, 4, 4]),
    )
    along_m = np.sqrt(max(shortest_m**2 - THICKNESS_M**2, 0.0))
    of_all = {
        "strength_n": STRENGTH_N, "optimal_m": OPTIMAL_M, "tendon_m": TENDON_M, "thickness_m": THICKNESS_M,
        "fastest_per_s": FASTEST, "shortest_m": shortest_m, "shortest_along_m": along_m,
    }  # fmt: skip
    numbers = {"slip": slip, "active": 0, "velocity": 1, "passive": 2}
    return Fibres(
        **{name: np.full(n, value) for name, value in of_all.items()},
        **{name: np.full(n, value, dtype=np.int64) for name, value in numbers.items()},
        curves=curves,
    )


def tension(
    held: Fibres, path_m: np.ndarray, speed: np.ndarray | float, as_opensim: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The first muscle's tensions at lengths and speeds, as a frame of as many muscles alike."""
    path, speed = (np.array(each, dtype=float) for each in np.broadcast_arrays(path_m, speed))
    alike = {name: np.repeat(values[:1], len(path)) for name, values in held._asdict().items() if name != "curves"}
    full_n, passive_n = fibre_tensions(held._replace(**alike), path[None], speed[None], as_opensim)
    return full_n[0], passive_n[0]


def geometry(path_m: np.ndarray) -> Case:
    along = path_m - TENDON_M
    fibre = np.hypot(along, THICKNESS_M)
    return Case(fibre / OPTIMAL_M, along / fibre)


PATH_M = np.linspace(TENDON_M + 0.2 * OPTIMAL_M, TENDON_M + 2.5 * OPTIMAL_M, 300)


@pytest.mark.parametrize("slip", [NO_SLIP, NORMALISED_PENNATION, NO_PENNATION, PATH_SPEED])
@pytest.mark.parametrize("speed", [-0.3, 0.0, 0.25])
def test_tension_is_hills_equation_along_the_tendon(slip: int, speed: float) -> None:
    length, cosine = geometry(PATH_M)
    full, loose = tension(fibres(slip), PATH_M, speed, as_opensim=False)
    shortening = speed * cosine / (OPTIMAL_M * FASTEST)
    np.testing.assert_allclose(full, STRENGTH_N * active(length) * velocity(shortening) * cosine, atol=1e-10)
    np.testing.assert_allclose(loose, STRENGTH_N * passive(length) * cosine, atol=1e-10)


@pytest.mark.parametrize("speed", [-0.3, 0.0, 0.25])
def test_each_slip_is_one_factor_off(speed: float) -> None:
    length, cosine = geometry(PATH_M)
    path_speed, fibre_speed = (velocity(each / (OPTIMAL_M * FASTEST)) for each in (speed, speed * cosine))
    force = STRENGTH_N * active(length)
    for slip, expected in (
        (NO_SLIP, fibre_speed * cosine),
        (NORMALISED_PENNATION, fibre_speed * np.cos(np.arcsin(THICKNESS_M / length))),
        (NO_PENNATION, fibre_speed),
        (PATH_SPEED, path_speed * cosine),
    ):
        full, _ = tension(fibres(slip), PATH_M, speed, as_opensim=True)
        np.testing.assert_allclose(full, force * expected, atol=1e-10)


@pytest.mark.parametrize("as_opensim", [False, True])
def test_too_short_a_fibre_gives_nothing(as_opensim: bool) -> None:
    shortest_path = TENDON_M + np.sqrt(SHORTEST_M**2 - THICKNESS_M**2)
    path = np.array([-0.1, 0.0, TENDON_M - OPTIMAL_M, TENDON_M, shortest_path - 1e-12])
    for slip in (NO_SLIP, NORMALISED_PENNATION):
        full, loose = tension(fibres(slip), path, 0.1, as_opensim)
        np.testing.assert_array_equal(full, 0.0)
        np.testing.assert_array_equal(loose, 0.0)


def test_opensim_lets_some_slack_paths_pull_and_the_law_none() -> None:
    path = np.array([TENDON_M - 0.9 * OPTIMAL_M])
    without_pennation = fibres(NO_PENNATION, shortest_m=0.0)
    straight = fibres(PATH_SPEED, shortest_m=0.0)._replace(thickness_m=np.zeros(1))
    assert tension(without_pennation, path, 0.0, as_opensim=True)[0] > 0.5 * STRENGTH_N
    assert tension(straight, path, 0.0, as_opensim=True)[0] == STRENGTH_N * active(np.zeros(1))
    assert tension(fibres(PATH_SPEED, shortest_m=0.0), path, 0.0, as_opensim=True)[0] == 0.0
    for held in (without_pennation, straight):
        assert tension(held, path, 0.0, as_opensim=False)[0] == 0.0


def test_no_fibre_pushes() -> None:
    faster_than_it_can = -2 * OPTIMAL_M * FASTEST
    assert (tension(fibres(), PATH_M, faster_than_it_can, as_opensim=True)[0] < -1).any()
    full, loose = tension(fibres(), PATH_M, faster_than_it_can, as_opensim=False)
    assert full.min() == 0.0
    assert loose.min() == 0.0


def test_a_straight_fibre_of_no_length_gives_nothing() -> None:
    held = fibres(NORMALISED_PENNATION, shortest_m=0.0)._replace(thickness_m=np.zeros(1), shortest_along_m=np.zeros(1))
    for as_opensim in (False, True):
        assert np.array_equal(tension(held, np.array([TENDON_M]), np.zeros(1), as_opensim), [[0.0], [0.0]])


@pytest.mark.parametrize("slip", [NO_SLIP, NORMALISED_PENNATION, NO_PENNATION, PATH_SPEED])
@pytest.mark.parametrize("as_opensim", [False, True])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_visible(slip: int, as_opensim: bool, bad: float) -> None:
    path = np.array([bad, TENDON_M + OPTIMAL_M, TENDON_M - OPTIMAL_M, bad])
    assert np.isnan(tension(fibres(slip), path, np.array([0.0, bad, bad, bad]), as_opensim)).all()


@pytest.mark.parametrize("as_opensim", [False, True])
def test_tension_does_not_jump_with_length_or_speed(as_opensim: bool) -> None:
    steps = np.linspace(TENDON_M + 0.3 * OPTIMAL_M, TENDON_M + 2.6 * OPTIMAL_M, 20001)
    for slip in (NO_SLIP, NORMALISED_PENNATION, NO_PENNATION, PATH_SPEED):
        full, loose = tension(fibres(slip), steps, -0.2, as_opensim)
        assert np.abs(np.diff(full)).max() < STRENGTH_N * 1e-3
        assert np.abs(np.diff(loose)).max() < STRENGTH_N * 1e-3
    held, middle = fibres(), TENDON_M + OPTIMAL_M
    speeds = np.linspace(-1.0, 1.0, 2001)
    full, _ = tension(held, np.array([middle]), speeds, as_opensim)
    assert np.abs(np.diff(full)).max() < STRENGTH_N * 2e-3


def test_a_frame_is_its_muscles_one_by_one() -> None:
    n = 7
    held = fibres(n=n)._replace(strength_n=np.linspace(100, 900, n), slip=np.arange(n) % 4)
    path, speed = np.linspace(TENDON_M, TENDON_M + 2 * OPTIMAL_M, n), np.linspace(-0.4, 0.4, n)
    for as_opensim in (False, True):
        full, loose = (each[0] for each in fibre_tensions(held, path[None], speed[None], as_opensim))
        for u in range(n):
            alone = held._replace(strength_n=held.strength_n[u:], slip=held.slip[u:])
            np.testing.assert_array_equal(
                [full[u : u + 1], loose[u : u + 1]], tension(alone, path[u : u + 1], speed[u : u + 1], as_opensim)
            )
