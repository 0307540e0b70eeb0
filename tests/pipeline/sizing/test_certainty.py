"""Standard deviations of a sized body's figures, against estimates of bodies that were drawn from the priors.

What is estimated comes from exactly the model of errors that the estimate assumes, so that its own standard deviations
must be right: an error over its deviation has a mean square of one.
"""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.mechanics.bodies.poses import body_places
from pipeline.sizing.certainty import (
    LENGTHS,
    certainty_figures,
    hips_in_pelvis,
    hips_in_walking,
    segment_lengths,
    zeros_of_angles,
)
from pipeline.sizing.scaled_tree import scaled_tree

ANGLES = ("pelvis_tilt", "hip_flexion_r", "hip_flexion_l", "hip_adduction_r", "knee_angle_r", "ankle_angle_l")
PEOPLE = 12
FRAMES = 6


@pytest.fixture(scope="module")
def known():
    """The unscaled model standing, then bending hip and knee: what its priors and noise are."""
    from pipeline.osim.models.default_model import default_model_file
    from pipeline.osim.models.shared_model import read_shared_model
    from pipeline.records import Markers
    from pipeline.session.load_profile import load_profile
    from pipeline.session.recipe import PACKAGED_RECIPE, load_recipe
    from pipeline.session.session import Subject
    from pipeline.sizing.evidence import gather_evidence
    from pipeline.sizing.priors.landmarks import marker_prior
    from pipeline.sizing.priors.proportions import proportion_prior
    from pipeline.user_cache import cache_folder

    shared = read_shared_model(default_model_file(cache_folder()))
    profile, settings = load_profile("isb_full_body"), load_recipe(PACKAGED_RECIPE).scaling
    subject = Subject(id="S1", mass_kg=70.0, height_m=1.70, sex="F")
    prior = proportion_prior(shared.skeleton, subject, settings)
    poses = np.tile(shared.skeleton.default, (FRAMES, 1))
    for number, name in enumerate(shared.names):
        if name.startswith(("hip_flexion", "knee_angle")):
            poses[:, number] = np.linspace(0.1, 0.9, FRAMES)
        # A straight arm hides its rotation.
        elif name.startswith("elbow_flex"):
            poses[:, number] = 0.7
    rotation, origin_m = body_places(shared.skeleton.tree, poses)
    bodies = [shared.skeleton.bodies.index(marker.body) for marker in profile.markers.values()]
    places_m = np.array([np.add(marker_prior(m).bone_m, marker_prior(m).over_m) for m in profile.markers.values()])
    seen_m = np.einsum("nmij,mj->nmi", rotation[:, bodies], places_m) + origin_m[:, bodies]
    walk = Markers(time_s=np.arange(FRAMES) / 100, rate_hz=100.0, labels=tuple(profile.markers), positions_m=seen_m)
    gathered = gather_evidence(
        shared, profile, prior, walk.cut(slice(0, 1)), [walk], settings.model_copy(update={"walking_frames": FRAMES})
    )
    return shared, gathered, np.concatenate([poses[:1], poses])


def points_m(evidence, shape, poses):
    rotation, origin_m = body_places(scaled_tree(evidence.tree, evidence.factors(shape)), poses)
    turned = np.einsum("npij,pj->npi", rotation[:, evidence.body], evidence.places_m(shape))
    return turned + origin_m[:, evidence.body]


def drawn(known, rng):
    """A shape from the priors, poses, and the evidence of what is measured of them, with its noise."""
    _, gathered, poses = known
    evidence = gathered.evidence
    places = np.linalg.inv(evidence.place_precision)
    shape = np.concatenate(
        [
            rng.multivariate_normal(evidence.proportion_mean, np.linalg.inv(evidence.proportion_precision)),
            rng.multivariate_normal(np.zeros(len(places)), places),
        ]
    )
    # Narrow priors of poses are part of what the estimate is sure of; the wide ones say nothing.
    deviation = 1 / np.sqrt(evidence.pose_precision)
    turned = poses.copy()
    turned[:, evidence.free] = np.where(
        deviation < 0.2,
        evidence.pose_mean + deviation * rng.standard_normal(deviation.shape),
        turned[:, evidence.free],
    )
    seen = evidence.precision > 0
    noise_m = rng.standard_normal(seen.shape) / np.sqrt(np.where(seen, evidence.precision, 1.0))
    measured_m = np.where(seen, points_m(evidence, shape, turned) + noise_m, 0.0)
    return shape, turned, replace(evidence, measured_m=measured_m, start=poses)


@pytest.fixture(scope="module")
def deviates(known):
    """Errors over their standard deviations, (people, figures), by what they are of."""
    from pipeline.sizing.posterior import likeliest

    shared, gathered, _ = known
    skeleton = shared.skeleton
    hips = [skeleton.bodies.index(name) for name in ("femur_r", "femur_l")]
    found = {"lengths": [], "hips in the pelvis": [], "hips in walking": [], "zeros": []}
    for seed in range(PEOPLE):
        shape, poses, evidence = drawn(known, np.random.default_rng([7, seed]))
        posterior = likeliest(evidence)
        assert posterior.converged
        lengths = segment_lengths(shared, gathered, posterior)
        pelvis = hips_in_pelvis(shared, gathered, posterior)
        walking = hips_in_walking(shared, gathered, posterior)
        zeros = zeros_of_angles(shared, gathered, posterior)

        _, true_m = body_places(scaled_tree(skeleton.tree, evidence.factors(shape)), skeleton.default[None])
        rotation, here_m = body_places(scaled_tree(skeleton.tree, evidence.factors(shape)), poses)
        _, there_m = body_places(scaled_tree(skeleton.tree, evidence.factors(posterior.shape)), posterior.poses)
        true_lengths_m = [
            np.linalg.norm(np.subtract(*(true_m[0, skeleton.bodies.index(body)] for body in LENGTHS[name])))
            for name in lengths.names
        ]
        off_m = np.einsum("nji,nhj->nhi", rotation[:, 1], (there_m - here_m)[:, hips])[~gathered.standing].mean(axis=0)
        off_rad = (posterior.poses - poses)[~gathered.standing].mean(axis=0)[evidence.free]
        angles = [zeros.names.index(name) for name in ANGLES]
        found["lengths"].append((lengths.value - true_lengths_m) / lengths.sd)
        found["hips in the pelvis"].append(((pelvis.value - (true_m[0, hips] - true_m[0, 1])) / pelvis.sd).ravel())
        found["hips in walking"].append((off_m / walking.sd).ravel())
        found["zeros"].append((off_rad / zeros.sd)[angles])
    return {name: np.array(one) for name, one in found.items()}


@pytest.mark.parametrize("of", ["lengths", "hips in the pelvis", "hips in walking", "zeros"])
def test_errors_are_as_large_as_their_standard_deviations_say(deviates, of):
    # A dozen people: a mean square of few independent figures wanders by a third.
    assert np.mean(deviates[of] ** 2) == pytest.approx(1.0, abs=0.45)


def test_nine_figures_of_ten_lie_within_their_ninety_per_cent(deviates):
    every = np.concatenate([one.ravel() for one in deviates.values()])
    assert np.mean(np.abs(every) < 1.645) == pytest.approx(0.90, abs=0.05)


def test_figures_are_told_in_millimetres(known):
    from pipeline.sizing.posterior import likeliest

    shared, gathered, _ = known
    posterior = likeliest(gathered.evidence)
    figures = {(one.figure, one.of): one for one in certainty_figures(shared, gathered, posterior)}

    thigh, hip = figures["length", "thigh_r"], figures["hip_centre", "hip_r right"]

    # Markers where the unscaled model's are expected: its femur is 409 mm long, its hip 77 mm off the middle.
    assert thigh.value == pytest.approx(409, abs=3 * thigh.sd)
    assert 2 < thigh.sd < 20
    assert hip.value == pytest.approx(77, abs=3 * hip.sd)
    assert thigh.unit == hip.unit == "mm"
    assert figures["hip_centre", "hip_l right"].value == pytest.approx(-hip.value, abs=0.1)


def test_of_a_body_that_is_known_only_the_poses_are_unsure(known):
    from pipeline.sizing.posterior import likeliest

    shared, gathered, _ = known
    posterior = likeliest(gathered.evidence)
    sure = replace(posterior, covariance=np.zeros_like(posterior.covariance))

    zeros = zeros_of_angles(shared, gathered, sure)

    # A mean of independent frames: the root of their summed variances, over their number.
    variances = np.array([np.diag(one) for one in posterior.pose_covariance[~gathered.standing]])
    assert zeros.sd == pytest.approx(np.sqrt(variances.sum(axis=0)) / len(variances))
    assert segment_lengths(shared, gathered, sure).sd == pytest.approx(0)
    assert hips_in_walking(shared, gathered, sure).sd.min() > 1e-4
