"""The likeliest body: scale factors, marker places and poses at once, as the maximum of one posterior.

Gauss-Newton with the poses eliminated frame by frame (the Schur complement of a bundle adjustment: Triggs et al. 2000,
Vision Algorithms, LNCS 1883:298). Every residual is a length or an angle over its standard deviation, so that the
inverse of the curvature at the optimum is the estimate's covariance.

Shapes: N frames, P points (markers, and joint centres), M of them with places of their own, B bodies, K proportions,
Q coordinates, F free ones. The shape is (K + 3 M,): proportions, then the places' offsets.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from pipeline.mechanics.arrays import MarkerPlaces, Tree, reals
from pipeline.mechanics.bodies.poses import body_places, coupling_slopes, fold, follow_couplings, point_jacobians
from pipeline.sizing.scaled_tree import scaled_tree

# Steps: enough for the worst start, and how small the last one is, in standard deviations of the shape.
MOST_STEPS, POSE_STEPS, STARTING_STEPS = 60, 12, 80
CONVERGED_SD = 1e-3
# A straight arm's rotation creeps: all steps used, shape and poses may be this far from the optimum, in the same
# measure.
SETTLED_SD = 0.1
# No step turns a joint further, so that a bad start comes back.
LONGEST_STEP_RAD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a body before it is estimated, and what was measured.

    tree: the unscaled model. growth (K, B, 3): how each proportion, a logarithm, enlarges each body along its axes.
    proportion_mean (K,), proportion_precision (K, K).
    body (P,), bone_m (P, 3): a point's body, and its place that grows with the body. over_m (P, 3): what lies over it
    and doesn't grow: skin, and a marker's radius. The first M points may be elsewhere: place_precision (3 M, 3 M),
    1/m².
    measured_m (N, P, 3) in the ground frame, precision (N, P, 3), 1/m², 0 where a point was not seen.
    free (F,): the coordinates to be found. low, high (F,): ranges; beyond them a pose costs wall_rad (its deviation).
    pose_mean, pose_precision (N, F). start (N, Q): poses to begin from.
    """

    tree: Tree
    growth: np.ndarray
    proportion_mean: np.ndarray
    proportion_precision: np.ndarray
    body: np.ndarray
    bone_m: np.ndarray
    over_m: np.ndarray
    place_precision: np.ndarray
    measured_m: np.ndarray
    precision: np.ndarray
    free: np.ndarray
    low: np.ndarray
    high: np.ndarray
    wall_rad: float
    pose_mean: np.ndarray
    pose_precision: np.ndarray
    start: np.ndarray

    @property
    def n_proportions(self) -> int:
        """K."""
        return len(self.proportion_mean)

    def factors(self, shape: np.ndarray) -> np.ndarray:
        """The bodies' factors (B, 3)."""
        return np.exp(np.tensordot(shape[: self.n_proportions], self.growth, 1))

    def places_m(self, shape: np.ndarray) -> np.ndarray:
        """Where the points are in their bodies' frames, (P, 3)."""
        places = self.bone_m * self.factors(shape)[self.body] + self.over_m
        offsets = shape[self.n_proportions :].reshape(-1, 3)
        places[: len(offsets)] += offsets
        return places


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """The likeliest shape (K + 3 M,) and poses (N, Q), and how sure they are.

    covariance of the shape; pose_covariance (N, F, F), and pose_by_shape (N, F, K + 3 M): how much a pose turns with
    the shape. points_m (N, P, 3): where the points are. loss: twice the negative logarithm of the posterior, without
    its constant. stuck (N,): frames whose pose is not at its likeliest. converged: none is, and no further step of the
    shape would be large.
    """

    shape: np.ndarray
    poses: np.ndarray
    covariance: np.ndarray
    pose_covariance: np.ndarray
    pose_by_shape: np.ndarray
    points_m: np.ndarray
    loss: float
    steps: int
    stuck: np.ndarray
    converged: bool


def likeliest(evidence: Evidence) -> Posterior:
    """The maximum of the posterior, from the proportions' and places' means and the starting poses."""
    shape = np.concatenate([evidence.proportion_mean, np.zeros(len(evidence.place_precision))])
    prior = _shape_precision(evidence)
    mean = shape.copy()
    poses, loss_of_frame = _settle(evidence, shape, evidence.start, np.full(len(evidence.start), 1e-2), STARTING_STEPS)
    damping, still, steps = 1e-3, False, 0
    while steps < MOST_STEPS and not still:
        steps += 1
        normal = _normal_equations(evidence, shape, poses, prior, mean)
        loss = loss_of_frame.sum() + _quadratic(shape - mean, prior)
        while damping < 1e8:
            damped = normal.matrix + damping * np.diag(np.diag(normal.matrix))
            change = np.linalg.solve(damped, normal.gradient)
            free_change = normal.pose_step - np.einsum("nfs,s->nf", normal.pose_by_shape, change)
            tried = _moved(evidence, poses, np.clip(free_change, -LONGEST_STEP_RAD, LONGEST_STEP_RAD))
            # A limb that its markers hardly hold may be thrown too far: its frame stays, or no step would be better.
            thrown = _frame_losses(evidence, shape + change, tried) > _frame_losses(evidence, shape + change, poses)
            tried = np.where(thrown[:, None], poses, tried)
            tried, tried_loss = _settle(evidence, shape + change, tried, np.full(len(poses), 1e-4), POSE_STEPS)
            if tried_loss.sum() + _quadratic(shape + change - mean, prior) <= loss * (1 + 1e-12):
                break
            damping = max(10 * damping, 1e-6)
        else:
            break
        # In the metric of the posterior itself: the step's length in standard deviations.
        still = bool(damping < 1 and change @ normal.matrix @ change < CONVERGED_SD**2)
        shape, poses, loss_of_frame = shape + change, tried, tried_loss
        damping = max(damping / 10, 1e-10)
    normal = _normal_equations(evidence, shape, poses, prior, mean)
    remaining = float(normal.gradient @ np.linalg.solve(normal.matrix, normal.gradient))
    of_poses = np.einsum("nf,nfg,ng->n", normal.pose_gradient, normal.pose_covariance, normal.pose_gradient)
    stuck = of_poses >= SETTLED_SD**2
    certain = _certain(evidence, shape, poses, prior, mean)
    return Posterior(
        shape=shape,
        poses=poses,
        covariance=np.linalg.inv(certain.matrix),
        pose_covariance=certain.pose_covariance,
        pose_by_shape=certain.pose_by_shape,
        points_m=_points(evidence, shape, poses)[0],
        loss=float(loss_of_frame.sum() + _quadratic(shape - mean, prior)),
        steps=steps,
        stuck=stuck,
        converged=remaining < SETTLED_SD**2 and not stuck.any(),
    )


def _certain(
    evidence: Evidence, shape: np.ndarray, poses: np.ndarray, prior: np.ndarray, mean: np.ndarray
) -> "_Normal":
    """The normal equations at the optimum with the walls' curvatures as far as walls tell how sure it is."""
    free = poses[:, evidence.free]
    beyond = np.abs(_beyond(evidence, free))
    if not beyond.any():
        return _normal_equations(evidence, shape, poses, prior, mean)
    without = _normal_equations(evidence, shape, poses, prior, mean, np.zeros(free.shape))
    turned = without.pose_by_shape
    variance = np.einsum("nff->nf", without.pose_covariance) + np.einsum(
        "nfs,st,nft->nf", turned, np.linalg.inv(without.matrix), turned, optimize=True
    )
    told = np.where(beyond > 0, wall_precision(beyond, np.sqrt(variance), evidence.wall_rad), 0.0)
    return _normal_equations(evidence, shape, poses, prior, mean, told)


def wall_precision(beyond: np.ndarray, sd: np.ndarray, wall: float) -> np.ndarray:
    """What a soft wall adds to the precision of a value that the rest knows to `sd`, and that stands `beyond` the wall.

    Between 0 and 1 / wall²: the wall pushes on one side only, so that its curvature at the optimum says less than it
    would of a spring. With it the variance is the exact mean square about the optimum of one value: the rest's normal
    density within the range, that times the wall's beyond it.
    """
    spread = sd * sd + wall * wall
    middle = beyond * spread / wall**2
    out = sd * wall / np.sqrt(spread)
    near, far, off = -middle / sd, -beyond / out, middle - beyond
    # The two parts' masses as logarithms, since one of them may vanish, and their mean squares about the optimum.
    of_in = norm.logcdf(near)
    of_out = np.log(out / sd) - middle**2 / (2 * spread) + norm.logcdf(-far)
    share_out = 1 / (1 + np.exp(np.clip(of_in - of_out, -700, 700)))
    square_in = off**2 + sd**2 - (2 * off + sd * near) * sd * np.exp(norm.logpdf(near) - of_in)
    square_out = out**2 * (1 + far * np.exp(norm.logpdf(far) - norm.logcdf(-far)))
    variance = (1 - share_out) * square_in + share_out * square_out
    precision: np.ndarray = np.clip(1 / variance - 1 / sd**2, 0.0, 1 / wall**2)
    return precision


def posed(evidence: Evidence, shape: np.ndarray) -> np.ndarray:
    """The likeliest poses (N, Q) of a body of this shape."""
    return _settle(evidence, shape, evidence.start, np.full(len(evidence.start), 1e-2), STARTING_STEPS)[0]


@dataclass(frozen=True, slots=True)
class _Normal:
    """The normal equations of the shape, the poses eliminated."""

    matrix: np.ndarray
    gradient: np.ndarray
    pose_gradient: np.ndarray
    pose_step: np.ndarray
    pose_by_shape: np.ndarray
    pose_covariance: np.ndarray


def _normal_equations(
    evidence: Evidence,
    shape: np.ndarray,
    poses: np.ndarray,
    prior: np.ndarray,
    mean: np.ndarray,
    walls: np.ndarray | None = None,
) -> _Normal:
    """With the curvatures (N, F) that walls have, or those that are given."""
    scale = np.sqrt(evidence.precision)
    points_m, rotation = _points(evidence, shape, poses)
    n_frames, n_points = points_m.shape[:2]
    error = ((evidence.measured_m - points_m) * scale).reshape(n_frames, -1)
    by_pose = (_by_pose(evidence, shape, poses) * scale[..., None]).reshape(n_frames, 3 * n_points, -1)
    by_shape = (_by_shape(evidence, shape, poses, rotation) * scale[..., None]).reshape(n_frames, 3 * n_points, -1)
    pull, stiffness = _pose_prior(evidence, poses)
    if walls is not None:
        stiffness = evidence.pose_precision + walls
    pose_gradient = np.einsum("nef,ne->nf", by_pose, error) + pull
    pose_matrix = by_pose.transpose(0, 2, 1) @ by_pose + stiffness[:, :, None] * np.eye(stiffness.shape[1])
    mixed = by_pose.transpose(0, 2, 1) @ by_shape
    flat = by_shape.reshape(-1, by_shape.shape[2])
    pose_covariance = np.linalg.inv(pose_matrix)
    pose_step = np.einsum("nfg,ng->nf", pose_covariance, pose_gradient)
    pose_by_shape = pose_covariance @ mixed
    return _Normal(
        matrix=flat.T @ flat + prior - np.einsum("nfs,nft->st", mixed, pose_by_shape, optimize=True),
        gradient=flat.T @ error.ravel() - prior @ (shape - mean) - np.einsum("nfs,nf->s", mixed, pose_step),
        pose_gradient=pose_gradient,
        pose_step=pose_step,
        pose_by_shape=pose_by_shape,
        pose_covariance=pose_covariance,
    )


def _settle(
    evidence: Evidence, shape: np.ndarray, poses: np.ndarray, damping: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Poses (N, Q) nearer to the likeliest of a given shape, and each frame's loss (N,): Levenberg and Marquardt's."""
    damping = damping.copy()
    loss = _frame_losses(evidence, shape, poses)
    scale = np.sqrt(evidence.precision)
    for _ in range(steps):
        points_m, _ = _points(evidence, shape, poses)
        error = ((evidence.measured_m - points_m) * scale).reshape(len(poses), -1)
        by_pose = _by_pose(evidence, shape, poses) * scale[..., None]
        by_pose = by_pose.reshape(len(poses), error.shape[1], -1)
        pull, stiffness = _pose_prior(evidence, poses)
        gradient = np.einsum("nef,ne->nf", by_pose, error) + pull
        matrix = by_pose.transpose(0, 2, 1) @ by_pose + stiffness[:, :, None] * np.eye(stiffness.shape[1])
        diagonal = np.einsum("nff->nf", matrix)
        matrix = matrix + (damping[:, None] * diagonal)[:, :, None] * np.eye(matrix.shape[1])
        step = np.linalg.solve(matrix, gradient[..., None])[..., 0]
        tried = _moved(evidence, poses, np.clip(step, -LONGEST_STEP_RAD, LONGEST_STEP_RAD))
        tried_loss = _frame_losses(evidence, shape, tried)
        better = tried_loss <= loss
        gain = np.where(better, loss - tried_loss, 0.0)
        poses = np.where(better[:, None], tried, poses)
        loss = np.where(better, tried_loss, loss)
        damping = np.clip(np.where(better, damping / 5, damping * 8), 1e-9, 1e6)
        if better.all() and gain.max() < 1e-6:
            break
    return poses, loss


def _frame_losses(evidence: Evidence, shape: np.ndarray, poses: np.ndarray) -> np.ndarray:
    points_m, _ = _points(evidence, shape, poses)
    free = poses[:, evidence.free]
    losses: np.ndarray = ((evidence.measured_m - points_m) ** 2 * evidence.precision).sum(axis=(1, 2))
    losses += ((free - evidence.pose_mean) ** 2 * evidence.pose_precision).sum(axis=1)
    return losses + (_beyond(evidence, free) ** 2).sum(axis=1) / evidence.wall_rad**2


def _pose_prior(evidence: Evidence, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pull (N, F) of a pose's prior and of the ends of its ranges, and how stiff they are (N, F)."""
    free = poses[:, evidence.free]
    beyond = _beyond(evidence, free)
    pull = (evidence.pose_mean - free) * evidence.pose_precision - beyond / evidence.wall_rad**2
    return pull, evidence.pose_precision + (beyond != 0) / evidence.wall_rad**2


def _beyond(evidence: Evidence, free: np.ndarray) -> np.ndarray:
    """How far coordinates (N, F) lie beyond their ranges, signed; 0 within."""
    return np.maximum(free - evidence.high, 0.0) + np.minimum(free - evidence.low, 0.0)


def _moved(evidence: Evidence, poses: np.ndarray, step: np.ndarray) -> np.ndarray:
    moved = reals(poses.copy())
    moved[:, evidence.free] += step
    follow_couplings(evidence.tree, moved)
    return moved


def _points(evidence: Evidence, shape: np.ndarray, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, P, 3) in the ground frame, and the rotations (N, P, 3, 3) of their bodies."""
    rotation, origin_m = body_places(scaled_tree(evidence.tree, evidence.factors(shape)), poses)
    of_point = rotation[:, evidence.body]
    return np.einsum("npij,pj->npi", of_point, evidence.places_m(shape)) + origin_m[:, evidence.body], of_point


def _by_pose(evidence: Evidence, shape: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """How points move with the free coordinates, coupled ones following: (N, P, 3, F)."""
    tree = scaled_tree(evidence.tree, evidence.factors(shape))
    moving = point_jacobians(tree, poses, MarkerPlaces(evidence.body, reals(evidence.places_m(shape))))
    fold(tree, coupling_slopes(tree, poses), moving)
    return moving[..., evidence.free]


def _by_shape(evidence: Evidence, shape: np.ndarray, poses: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """How points move with the shape: (N, P, 3, K + 3 M)."""
    factors = evidence.factors(shape)
    n_proportions, n_places = evidence.n_proportions, len(evidence.place_precision) // 3
    moved = np.zeros((*rotation.shape[:2], 3, n_proportions + 3 * n_places))
    places_m = evidence.bone_m * factors[evidence.body]
    here = _points_of(evidence, factors, places_m, poses)
    for k in range(n_proportions):
        # In a given pose points are linear in the factors: a whole step is the derivative.
        further = factors * (1 + evidence.growth[k])
        there = _points_of(evidence, further, evidence.bone_m * further[evidence.body], poses)
        moved[..., k] = there - here
    for m in range(n_places):
        start = n_proportions + 3 * m
        moved[:, m, :, start : start + 3] = rotation[:, m]
    return moved


def _points_of(evidence: Evidence, factors: np.ndarray, places_m: np.ndarray, poses: np.ndarray) -> np.ndarray:
    rotation, origin_m = body_places(scaled_tree(evidence.tree, factors), poses)
    return np.einsum("npij,pj->npi", rotation[:, evidence.body], places_m) + origin_m[:, evidence.body]


def _shape_precision(evidence: Evidence) -> np.ndarray:
    n_proportions = evidence.n_proportions
    precision = np.zeros((n_proportions + len(evidence.place_precision),) * 2)
    precision[:n_proportions, :n_proportions] = evidence.proportion_precision
    precision[n_proportions:, n_proportions:] = evidence.place_precision
    return precision


def _quadratic(difference: np.ndarray, precision: np.ndarray) -> float:
    return float(difference @ precision @ difference)
