"""The likeliest shape of a made-up leg, against another solver, the known truth and chance."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from pipeline.mechanics.bodies.poses import body_places, follow_couplings
from pipeline.sizing import posterior
from pipeline.sizing.posterior import Evidence, Posterior, likeliest, wall_precision
from pipeline.sizing.scaled_tree import scaled_tree
from tests.pipeline.mechanics.chains import N_COORDINATES, leg

THIGH, SHANK, FOOT = 1, 2, 3
# How long the thigh and the shank are.
N_PROPORTIONS = 2
BODIES = np.array([THIGH] * 3 + [SHANK] * 3 + [FOOT] * 3)
N_FRAMES = 4
FREE = np.arange(N_COORDINATES - 1)
PROPORTION_SD, PLACE_SD_M, NOISE_M, POSE_SD = 0.05, 0.01, 0.003, 0.3


def upright_axes() -> np.ndarray:
    """The leg's axes, its slides along the axes of the body that they start from: OpenSim scales no others rightly."""
    tree = leg(3)
    direction = tree.direction.copy()
    for axis in np.flatnonzero(~tree.turns.astype(bool)):
        direction[axis] = np.eye(3)[axis % 3]
    return direction


def evidence_of(
    random: np.random.Generator, shape: np.ndarray, noise_m: float = NOISE_M
) -> tuple[Evidence, np.ndarray]:
    """Frames of a leg of this shape, and its poses; the second point is not seen in the first frame."""
    growth = np.zeros((N_PROPORTIONS, 5, 3))
    growth[0, THIGH, 1] = growth[1, SHANK, 1] = 1.0
    # Together they are the height.
    together = np.array([[1.0, 0.6], [0.6, 1.0]]) * PROPORTION_SD**2
    poses = np.zeros((N_FRAMES, N_COORDINATES))
    poses[:, FREE] = random.normal(0.0, POSE_SD, (N_FRAMES, len(FREE)))
    tree = leg(3)._replace(direction=upright_axes())
    follow_couplings(tree, poses)
    precision = np.full((N_FRAMES, len(BODIES), 3), NOISE_M**-2)
    precision[0, 1] = 0.0
    evidence = Evidence(
        tree=tree,
        growth=growth,
        proportion_mean=np.array([0.02, -0.01]),
        proportion_precision=np.linalg.inv(together),
        body=BODIES,
        bone_m=np.random.default_rng(8).uniform(-0.2, 0.2, (len(BODIES), 3)),
        over_m=np.full((len(BODIES), 3), 0.01),
        place_precision=np.eye(3 * len(BODIES)) / PLACE_SD_M**2,
        measured_m=np.zeros((N_FRAMES, len(BODIES), 3)),
        precision=precision,
        free=FREE,
        low=np.full(len(FREE), -np.inf),
        high=np.full(len(FREE), np.inf),
        wall_rad=0.03,
        pose_mean=np.zeros((N_FRAMES, len(FREE))),
        pose_precision=np.full((N_FRAMES, len(FREE)), POSE_SD**-2),
        start=np.zeros((N_FRAMES, N_COORDINATES)),
    )
    noise = random.normal(0.0, noise_m, evidence.measured_m.shape) if noise_m else 0.0
    return replace(evidence, measured_m=points(evidence, shape, poses) + noise), poses


def a_shape(random: np.random.Generator) -> np.ndarray:
    """One drawn from what `evidence_of` knows beforehand."""
    together = np.array([[1.0, 0.6], [0.6, 1.0]]) * PROPORTION_SD**2
    lengths = random.multivariate_normal([0.02, -0.01], together)
    return np.concatenate([lengths, random.normal(0.0, PLACE_SD_M, 3 * len(BODIES))])


def points(evidence: Evidence, shape: np.ndarray, poses: np.ndarray) -> np.ndarray:
    factors = np.ones((5, 3))
    factors[THIGH, 1], factors[SHANK, 1] = np.exp(shape[:N_PROPORTIONS])
    places = evidence.bone_m * factors[BODIES] + evidence.over_m + shape[N_PROPORTIONS:].reshape(-1, 3)
    rotation, origin_m = body_places(scaled_tree(evidence.tree, factors), poses)
    return np.einsum("npij,pj->npi", rotation[:, BODIES], places) + origin_m[:, BODIES]


def residuals(evidence: Evidence, unknown: np.ndarray) -> np.ndarray:
    """All that the posterior squares and adds up, written down plainly: of the shape and every frame's pose at once."""
    n_shape = N_PROPORTIONS + 3 * len(BODIES)
    shape, free = unknown[:n_shape], unknown[n_shape:].reshape(N_FRAMES, -1)
    poses = np.zeros((N_FRAMES, N_COORDINATES))
    poses[:, FREE] = free
    follow_couplings(evidence.tree, poses)
    root = np.linalg.cholesky(evidence.proportion_precision).T
    beyond = np.where(free > evidence.high, free - evidence.high, np.minimum(free - evidence.low, 0.0))
    return np.concatenate(
        [
            ((evidence.measured_m - points(evidence, shape, poses)) * np.sqrt(evidence.precision)).ravel(),
            root @ (shape[:N_PROPORTIONS] - evidence.proportion_mean),
            shape[N_PROPORTIONS:] / PLACE_SD_M,
            ((free - evidence.pose_mean) * np.sqrt(evidence.pose_precision)).ravel(),
            beyond.ravel() / evidence.wall_rad,
        ]
    )


@pytest.fixture(scope="module")
def measured() -> Evidence:
    random = np.random.default_rng(5)
    return evidence_of(random, a_shape(random))[0]


def by_another_solver(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, float]:
    """The likeliest shape, its covariance, and the loss there."""
    n_shape = N_PROPORTIONS + 3 * len(BODIES)
    start = np.concatenate([evidence.proportion_mean, np.zeros(n_shape - N_PROPORTIONS + N_FRAMES * len(FREE))])
    found = least_squares(lambda x: residuals(evidence, x), start, jac="3-point", xtol=1e-14, ftol=1e-14, gtol=1e-10)
    covariance = np.linalg.inv(found.jac.T @ found.jac)
    return found.x[:n_shape], covariance[:n_shape, :n_shape], 2 * found.cost


@pytest.mark.parametrize("reach", [np.inf, 0.2])
def test_it_is_the_optimum_of_all_at_once_and_as_uncertain_as_the_curvature_there(
    measured: Evidence, reach: float
) -> None:
    """With ranges that some poses pass, and without."""
    evidence = replace(measured, low=np.full(len(FREE), -reach), high=np.full(len(FREE), reach))
    shape, covariance, loss = by_another_solver(evidence)

    found = likeliest(evidence)

    assert found.converged
    assert found.loss == pytest.approx(loss, rel=1e-6)
    deviations = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(found.shape / deviations, shape / deviations, atol=5e-3)
    if np.isfinite(reach):
        # A wall pushes from one side only: less sure than its curvature, surer than without it.
        free = likeliest_without_walls(evidence, found)
        assert (np.diag(found.covariance) >= np.diag(covariance) * (1 - 1e-3)).all()
        assert (np.diag(found.covariance) <= np.diag(free) * (1 + 1e-3)).all()
        return
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), deviations, rtol=1e-3)
    np.testing.assert_allclose(
        found.covariance / np.outer(deviations, deviations), covariance / np.outer(deviations, deviations), atol=2e-3
    )


def likeliest_without_walls(evidence: Evidence, found: Posterior) -> np.ndarray:
    """The covariance of the shape at the same place, were there no walls: of the same residuals less theirs."""
    open_ended = replace(evidence, low=np.full(len(FREE), -np.inf), high=np.full(len(FREE), np.inf))
    unknown = np.concatenate([found.shape, found.poses[:, FREE].ravel()])
    jacobian = least_squares(lambda x: residuals(open_ended, x), unknown, jac="3-point", max_nfev=1).jac
    n_shape = len(found.shape)
    covariance: np.ndarray = np.linalg.inv(jacobian.T @ jacobian)[:n_shape, :n_shape]
    return covariance


@pytest.mark.parametrize(("sd", "wall"), [(5.0, 2.0), (1.0, 2.0), (10.0, 1.0)])
@pytest.mark.parametrize("beyond", [0.01, 0.7, 3.0, 12.0])
def test_a_wall_says_as_much_as_the_density_that_it_makes(beyond: float, sd: float, wall: float) -> None:
    """Of one value: its mean square about the optimum, by adding up the density, and by what the wall says of it."""
    middle = beyond * (1 + (sd / wall) ** 2)
    at = np.linspace(-15 * sd, 15 * sd, 400_001) + middle * (middle < 5 * sd)
    at = np.union1d(at, beyond + np.linspace(-15, 15, 400_001) * min(sd, wall))
    loss = (at - middle) ** 2 / sd**2 + np.maximum(at, 0.0) ** 2 / wall**2
    assert at[loss.argmin()] == pytest.approx(beyond, abs=1e-2)
    density = np.exp(-(loss - loss.min()) / 2)
    exact = np.trapezoid(density * (at - beyond) ** 2, at) / np.trapezoid(density, at)

    found = 1 / (sd**-2 + float(wall_precision(np.array(beyond), np.array(sd), wall)))

    assert found == pytest.approx(exact, rel=1e-3)
    # Far beyond the wall is a spring.
    assert found >= 1 / (sd**-2 + wall**-2) * (1 - 1e-6)


def test_a_pose_that_is_stuck_is_no_answer(measured: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not likeliest(measured).stuck.any()
    # The first frame can't be moved from where it starts.
    start = measured.start.copy()
    start[0, FREE] = 1.0
    settle = posterior._settle

    def held(evidence, shape, poses, damping, steps):
        moved, _ = settle(evidence, shape, poses, damping, steps)
        moved[0] = start[0]
        return moved, posterior._frame_losses(evidence, shape, moved)

    monkeypatch.setattr(posterior, "_settle", held)

    found = likeliest(replace(measured, start=start))

    np.testing.assert_array_equal(found.stuck, [True] + [False] * (N_FRAMES - 1))
    assert not found.converged


def test_what_is_measured_without_error_where_markers_are_known_comes_back() -> None:
    random = np.random.default_rng(2)
    true = np.concatenate([[0.12, -0.08], np.zeros(3 * len(BODIES))])
    evidence, poses = evidence_of(random, true, noise_m=0.0)
    sure = replace(
        evidence,
        place_precision=np.eye(3 * len(BODIES)) / 1e-6**2,
        precision=evidence.precision * 1e4,
        pose_precision=evidence.pose_precision * 1e-6,
    )

    found = likeliest(sure)

    np.testing.assert_allclose(found.shape[:N_PROPORTIONS], true[:N_PROPORTIONS], atol=1e-5)
    np.testing.assert_allclose(found.poses, poses, atol=1e-5)
    np.testing.assert_allclose(found.points_m, evidence.measured_m, atol=1e-5)


def test_its_covariance_is_how_far_estimates_lie_from_the_truth() -> None:
    """Of many legs drawn from what is known beforehand: the squared distance, in that measure, is one a dimension."""
    random = np.random.default_rng(11)
    distances = []
    for _ in range(30):
        true = a_shape(random)
        found = likeliest(evidence_of(random, true)[0])
        off = found.shape - true
        distances.append(off @ np.linalg.solve(found.covariance, off) / len(off))

    # 30 legs of 29 dimensions: a standard deviation of 0.048 of the mean.
    assert np.mean(distances) == pytest.approx(1.0, abs=0.15)


def test_a_point_that_was_not_seen_tells_nothing(measured: Evidence) -> None:
    astray = measured.measured_m.copy()
    astray[0, 1] = 50.0

    np.testing.assert_array_equal(likeliest(replace(measured, measured_m=astray)).shape, likeliest(measured).shape)


def test_a_pose_turns_with_the_shape_as_it_is_said_to(measured: Evidence) -> None:
    """By the poses of two bodies that differ a little in one proportion."""
    from pipeline.sizing.posterior import posed

    found = likeliest(measured)
    step = 1e-3 * np.eye(len(found.shape))[0]
    start = replace(measured, start=found.poses)

    turned = (posed(start, found.shape + step) - posed(start, found.shape - step))[:, FREE] / 2e-3

    # pose_by_shape takes the residuals for straight: as nearly as Gauss and Newton do.
    np.testing.assert_allclose(-found.pose_by_shape[:, :, 0], turned, atol=0.05 * np.abs(turned).max())
