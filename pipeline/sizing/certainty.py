"""How sure an estimate of a body is of its lengths, its hip centres and the zeros of its angles.

All follow to first order from the posterior's covariance, which is as right as the priors that it is made from. Lengths
in metres, angles in radians. Shapes as in `posterior.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.mechanics.arrays import MarkerPlaces
from pipeline.mechanics.bodies.poses import body_places, coupling_slopes, fold, point_jacobians
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import BodyFigure
from pipeline.sizing.evidence import Gathered
from pipeline.sizing.posterior import Posterior
from pipeline.sizing.scaled_tree import joints_on_bodies_m, scaled_tree

# A segment's length lies between the origins of two bodies, the model in its neutral pose: hip and knee, knee and
# ankle, heel and ball, and both hips.
LENGTHS = {
    **{f"thigh_{side}": (f"femur_{side}", f"tibia_{side}") for side in "rl"},
    **{f"shank_{side}": (f"tibia_{side}", f"talus_{side}") for side in "rl"},
    **{f"foot_{side}": (f"calcn_{side}", f"toes_{side}") for side in "rl"},
    "pelvis_width": ("femur_l", "femur_r"),
}
HIPS = {"hip_r": "femur_r", "hip_l": "femur_l"}
AXES = ("forward", "upward", "right")
# A body whose origin lies further from its own joint doesn't begin there; the built-in model's tibia is 9 mm from it.
AT_JOINT_M = 0.02
# Of a proportion's logarithm.
_STEP = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """Figures by name, their values (...) and standard deviations (...), the first axis as long as the names."""

    names: tuple[str, ...]
    value: np.ndarray
    sd: np.ndarray


def certainty_figures(shared: SharedModel, gathered: Gathered, posterior: Posterior) -> Iterator[BodyFigure]:
    """Lengths, and hip centres in the pelvis's frame by axis, in mm."""
    lengths = segment_lengths(shared, gathered, posterior)
    for name, value, sd in zip(lengths.names, lengths.value, lengths.sd, strict=True):
        yield BodyFigure(figure="length", of=name, value=float(value) * 1e3, sd=float(sd) * 1e3, unit="mm")
    hips = hips_in_pelvis(shared, gathered, posterior)
    for name, place, deviations in zip(hips.names, hips.value, hips.sd, strict=True):
        for axis, value, sd in zip(AXES, place, deviations, strict=True):
            of = f"{name} {axis}"
            yield BodyFigure(figure="hip_centre", of=of, value=float(value) * 1e3, sd=float(sd) * 1e3, unit="mm")


def segment_lengths(shared: SharedModel, gathered: Gathered, posterior: Posterior) -> Certainty:
    """Lengths (L,) of those segments that the model has, and whose bodies' origins are at their joints, as most are."""
    skeleton, evidence = shared.skeleton, gathered.evidence
    off_m = np.linalg.norm(joints_on_bodies_m(skeleton.tree), axis=1)
    at_joint = {body for body, apart_m in zip(skeleton.bodies, off_m, strict=True) if apart_m < AT_JOINT_M}
    names = tuple(name for name, ends in LENGTHS.items() if set(ends) <= at_joint)
    first, second = (
        np.array([skeleton.bodies.index(LENGTHS[name][end]) for name in names], dtype=np.int64) for end in (0, 1)
    )

    def measured(factors: np.ndarray) -> np.ndarray:
        _, origin_m = body_places(scaled_tree(evidence.tree, factors), skeleton.default[None])
        lengths: np.ndarray = np.linalg.norm(origin_m[0, second] - origin_m[0, first], axis=1)
        return lengths

    return _of_proportions(names, measured, gathered, posterior)


def hips_in_pelvis(shared: SharedModel, gathered: Gathered, posterior: Posterior) -> Certainty:
    """Hip centres (H, 3) in the pelvis's own frame: how the pelvis is built, not how it lies under its markers."""
    evidence = gathered.evidence
    names, bodies = _hips(shared)

    def measured(factors: np.ndarray) -> np.ndarray:
        places: np.ndarray = scaled_tree(evidence.tree, factors).joint_origin_m[bodies]
        return places

    return _of_proportions(names, measured, gathered, posterior)


def hips_in_walking(
    shared: SharedModel, gathered: Gathered, posterior: Posterior, spines_rad: float = 0.0
) -> Certainty:
    """How far hip centres may be from where they are estimated in the laboratory, on average over the walking frames.

    sd (H, 3) along the pelvis's axes; values are 0. It has the pelvis's pose in it, so it is what moments feel. Of the
    standing frame if no frame walks. `spines_rad`: how far palpation may have turned the pelvis about its markers.
    """
    evidence = gathered.evidence
    names, bodies = _hips(shared)
    frames = np.flatnonzero(_moving(gathered))
    poses, factors = posterior.poses[frames], evidence.factors(posterior.shape)
    tree = scaled_tree(evidence.tree, factors)
    turning = point_jacobians(tree, poses, MarkerPlaces(bodies, np.zeros((len(bodies), 3))))
    fold(tree, coupling_slopes(tree, poses), turning)
    by_pose = turning[..., evidence.free]
    rotation, origin_m = body_places(tree, poses)
    by_shape = np.zeros((*by_pose.shape[:3], len(posterior.shape)))
    for k in range(evidence.n_proportions):
        # In a given pose points are linear in the factors: a whole step is the derivative.
        _, further_m = body_places(scaled_tree(evidence.tree, factors * (1 + evidence.growth[k])), poses)
        by_shape[..., k] = (further_m - origin_m)[:, bodies]
    by_shape -= np.einsum("nhif,nfs->nhis", by_pose, posterior.pose_by_shape[frames])
    axes = rotation[:, evidence.tree.parent[bodies]]
    by_shape = np.einsum("nhji,nhjs->his", axes, by_shape) / len(frames)
    by_pose = np.einsum("nhji,nhjf->nhif", axes, by_pose)
    variance = np.einsum("his,st,hit->hi", by_shape, posterior.covariance, by_shape)
    variance += np.einsum("nhif,nfg,nhig->hi", by_pose, posterior.pose_covariance[frames], by_pose) / len(frames) ** 2
    on_pelvis = evidence.body[: len(gathered.labels)] == evidence.tree.parent[bodies[0]]
    markers_at_m = evidence.places_m(posterior.shape)[: len(gathered.labels)][on_pelvis].mean(axis=0)
    lever_m = tree.joint_origin_m[bodies] - markers_at_m
    variance += (spines_rad * np.cross((0.0, 0.0, 1.0), lever_m)) ** 2
    return Certainty(names=names, value=np.zeros(variance.shape), sd=np.sqrt(variance))


def zeros_of_angles(shared: SharedModel, gathered: Gathered, posterior: Posterior) -> Certainty:
    """How far coordinates' means over the walking frames may be from the true ones: sd (F,); values are 0.

    Of the standing frame if no frame walks. The shape's error turns all frames alike. What skin does to a frame's pose
    comes on top: it averages out only as far as frames are independent, which their precision already says.
    """
    frames = _moving(gathered)
    turned = posterior.pose_by_shape[frames].mean(axis=0)
    variance = np.einsum("fs,st,ft->f", turned, posterior.covariance, turned)
    variance += np.einsum("nff->nf", posterior.pose_covariance[frames]).sum(axis=0) / frames.sum() ** 2
    names = tuple(shared.names[number] for number in gathered.evidence.free)
    return Certainty(names=names, value=np.zeros(len(names)), sd=np.sqrt(variance))


def _of_proportions(
    names: tuple[str, ...], measured: Callable[[np.ndarray], np.ndarray], gathered: Gathered, posterior: Posterior
) -> Certainty:
    """What is measured on a body of given factors (B, 3), and its deviation, which the proportions alone give it."""
    evidence = gathered.evidence
    n_proportions = evidence.n_proportions
    factors = evidence.factors(posterior.shape)
    slopes = [
        (measured(factors * np.exp(_STEP * growth)) - measured(factors * np.exp(-_STEP * growth))) / (2 * _STEP)
        for growth in evidence.growth
    ]
    covariance = posterior.covariance[:n_proportions, :n_proportions]
    variance = np.einsum("k...,kl,l...->...", np.array(slopes), covariance, np.array(slopes))
    return Certainty(names=names, value=measured(factors), sd=np.sqrt(variance))


def _hips(shared: SharedModel) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the hips that the model has, and the bodies whose origins they are."""
    names = tuple(name for name, body in HIPS.items() if body in shared.skeleton.bodies)
    return names, np.array([shared.skeleton.bodies.index(HIPS[name]) for name in names], dtype=np.int64)


def _moving(gathered: Gathered) -> np.ndarray:
    """The walking frames (N,), or the standing one if there are none."""
    walking = ~gathered.standing
    return walking if walking.any() else gathered.standing
