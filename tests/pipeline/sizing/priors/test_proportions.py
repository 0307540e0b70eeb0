"""What sex and height say of a body before a marker is looked at."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.mechanics.tiny_model import tiny_tree
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.models.shared_model import shared_model
from pipeline.session.recipe import load_recipe
from pipeline.session.session import Subject
from pipeline.sizing.priors.proportions import (
    MODEL_HEIGHT_M,
    PROPORTIONS,
    ProportionPrior,
    model_height_m,
    proportion_prior,
)

pytestmark = pytest.mark.osim
SETTINGS = load_recipe("gait2hip60").scaling


@pytest.fixture(scope="module")
def skeleton():
    return shared_model(model_file_of(None)).skeleton


def of_height(skeleton, height_m: float) -> ProportionPrior:
    return proportion_prior(skeleton, Subject(id="S01", mass_kg=70.0, height_m=height_m), SETTINGS)


def factors(prior: ProportionPrior, shape: np.ndarray) -> np.ndarray:
    return np.exp(np.tensordot(shape, prior.growth, 1))


def test_the_built_in_model_is_as_tall_as_it_is_said_to_be(skeleton) -> None:
    assert model_height_m(skeleton) == pytest.approx(MODEL_HEIGHT_M, rel=2e-3)


def test_a_person_as_tall_as_the_model_has_its_legs(skeleton) -> None:
    prior = of_height(skeleton, model_height_m(skeleton))
    found = factors(prior, prior.mean)
    for body in ("femur_r", "tibia_l", "calcn_r", "pelvis", "humerus_l"):
        np.testing.assert_allclose(found[skeleton.bodies.index(body)], 1.0, atol=1e-12)


@pytest.mark.parametrize("height_m", [1.2, 1.9])
def test_every_body_grows_with_the_height_but_the_ground(skeleton, height_m: float) -> None:
    model, person = of_height(skeleton, MODEL_HEIGHT_M), of_height(skeleton, height_m)
    ratio = factors(person, person.mean) / factors(model, model.mean)
    np.testing.assert_allclose(ratio[1:], height_m / MODEL_HEIGHT_M, rtol=1e-12)
    np.testing.assert_allclose(ratio[0], 1.0)


def test_left_and_right_differ_only_by_their_differences(skeleton) -> None:
    prior = of_height(skeleton, 1.75)
    shape = np.random.default_rng(1).normal(0, 0.05, len(prior.names))
    alike = np.where(["difference" in name for name in prior.names], 0.0, shape)
    for body in ("femur", "tibia", "calcn", "humerus", "patella"):
        right, left = (skeleton.bodies.index(f"{body}_{side}") for side in "rl")
        np.testing.assert_allclose(factors(prior, alike)[right], factors(prior, alike)[left])
    longer = np.zeros(len(prior.names))
    longer[prior.names.index("thigh_difference")] = 0.02
    right, left = (factors(prior, longer)[skeleton.bodies.index(f"femur_{side}"), 1] for side in "rl")
    assert right / left == pytest.approx(np.exp(0.02))
    assert right * left == pytest.approx(1.0)


def test_together_lengths_are_as_sure_as_the_height_and_long_legs_make_a_short_trunk(skeleton) -> None:
    prior = of_height(skeleton, 1.75)
    share = np.array([p.of_height for p in PROPORTIONS])
    assert prior.names == tuple(p.name for p in PROPORTIONS)
    of_whole = share @ prior.covariance @ share / share.sum() ** 2
    assert np.sqrt(of_whole) < SETTINGS.height_sd
    thigh, trunk = prior.names.index("thigh_length"), prior.names.index("trunk_length")
    assert prior.covariance[thigh, trunk] < 0
    # What takes no part of the height is as uncertain as the recipe says.
    assert prior.sds()[prior.names.index("pelvis_width")] == pytest.approx(SETTINGS.breadth_sd)
    assert prior.sds()[prior.names.index("foot_length")] == pytest.approx(SETTINGS.length_sd)
    np.testing.assert_allclose(prior.covariance @ prior.precision, np.eye(len(prior.names)), atol=1e-9)


def test_bodies_that_no_proportion_names_grow_alike_in_all_directions() -> None:
    tree = tiny_tree()
    slider = SimpleNamespace(tree=tree, bodies=("ground", "slider", "thigh"), default=np.zeros(3))
    prior = of_height(slider, 1.87)
    assert prior.names == ("others",)
    np.testing.assert_allclose(factors(prior, prior.mean)[1:], 1.1)
    assert prior.sds() == pytest.approx([SETTINGS.length_sd])


def test_a_model_half_as_large_is_half_as_tall() -> None:
    whole = shared_model(model_file_of(None)).skeleton
    tree = whole.tree._replace(joint_origin_m=whole.tree.joint_origin_m / 2, body_origin_m=whole.tree.body_origin_m / 2)
    # The knee's slide is a function that stays as it is: a few millimetres in straight legs.
    half = SimpleNamespace(tree=tree, bodies=whole.bodies, default=whole.default)
    assert model_height_m(half) == pytest.approx(model_height_m(whole) / 2, rel=0.01)


def test_women_and_men_of_one_height_are_built_as_the_survey_has_them(skeleton) -> None:
    """By shares of height in ANSUR II, and as tall together as before."""

    def mean(sex) -> dict[str, float]:
        prior = proportion_prior(skeleton, Subject(id="S01", mass_kg=70.0, height_m=1.70, sex=sex), SETTINGS)
        return dict(zip(prior.names, np.exp(prior.mean), strict=True))

    women, men, unknown = mean("F"), mean("M"), mean(None)
    assert women["shank_length"] / men["shank_length"] == pytest.approx((403.2 / 1628.5) / (418.8 / 1756.2), abs=1e-3)
    assert women["pelvis_width"] / men["pelvis_width"] == pytest.approx((273.3 / 1628.5) / (275.4 / 1756.2), abs=1e-3)
    assert women["thigh_length"] == men["thigh_length"]
    for name, of_nobody in unknown.items():
        assert np.sqrt(women[name] * men[name]) == pytest.approx(of_nobody)
    for built in (women, men):
        taller = sum(p.of_height * built[p.name] / unknown[p.name] for p in PROPORTIONS)
        assert taller == pytest.approx(sum(p.of_height for p in PROPORTIONS), rel=2e-3)
