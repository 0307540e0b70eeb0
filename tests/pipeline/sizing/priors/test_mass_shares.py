"""A person's mass among segments, against de Leva (1996), table 4."""

from typing import Literal

import pytest

from pipeline.sizing.priors.mass_shares import mass_shares

SIDED = ("humerus", "ulna", "radius", "hand", "femur", "patella", "tibia", "talus", "calcn", "toes")
WHOLE = {"pelvis": 11.0, "torso": 30.0} | {
    f"{body}_{side}": mass
    for side in "rl"
    for body, mass in zip(SIDED, (2.0, 0.6, 0.6, 0.5, 9.0, 0.1, 3.5, 0.1, 1.2, 0.2), strict=True)
}
WITHOUT_ARMS = {body: mass for body, mass in WHOLE.items() if body[:-2] not in SIDED[:4]}


@pytest.mark.parametrize("sex", ["M", "F", None])
@pytest.mark.parametrize("model", [WHOLE, WITHOUT_ARMS, {**WHOLE, "rucksack": 5.0}])
def test_all_shares_together_are_one(model: dict[str, float], sex: Literal["M", "F"] | None) -> None:
    shares = mass_shares(model, sex)
    assert shares.keys() == model.keys()
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-12)
    assert min(shares.values()) > 0


# The table's percentages: thigh, shank, foot, upper arm. A whole person's add up to 100.0 and 99.9.
@pytest.mark.parametrize(
    ("sex", "thigh", "shank", "foot", "upper_arm"),
    [("M", 14.16, 4.33, 1.37, 2.71), ("F", 14.78, 4.81, 1.29, 2.55), (None, 14.47, 4.57, 1.33, 2.63)],
)
def test_segments_have_the_published_shares(
    sex: Literal["M", "F"] | None, thigh: float, shank: float, foot: float, upper_arm: float
) -> None:
    shares = mass_shares(WHOLE, sex)
    for side in "rl":
        found = [
            100 * sum(shares[f"{body}_{side}"] for body in bodies)
            for bodies in (("femur", "patella"), ("tibia",), ("talus", "calcn", "toes"), ("humerus",))
        ]
        assert found == pytest.approx([thigh, shank, foot, upper_arm], rel=2e-3)


def test_bodies_of_a_segment_keep_the_models_proportions() -> None:
    shares = mass_shares(WHOLE, "F")
    assert shares["torso"] / shares["pelvis"] == pytest.approx(30.0 / 11.0)
    assert shares["calcn_l"] / shares["toes_l"] == pytest.approx(1.2 / 0.2)


def test_arms_that_a_model_lacks_are_the_trunks() -> None:
    whole, without = mass_shares(WHOLE, "M"), mass_shares(WITHOUT_ARMS, "M")
    arms = sum(share for body, share in whole.items() if body[:-2] in SIDED[:4])
    assert without["pelvis"] + without["torso"] == pytest.approx(whole["pelvis"] + whole["torso"] + arms)
    assert without["femur_r"] == pytest.approx(whole["femur_r"])


def test_a_body_that_is_no_segment_keeps_its_share() -> None:
    with_load = {**WHOLE, "rucksack": 0.25 * sum(WHOLE.values())}
    shares = mass_shares(with_load, "F")
    assert shares["rucksack"] == pytest.approx(0.2)
    assert shares["femur_r"] / shares["tibia_r"] == pytest.approx(mass_shares(WHOLE, "F")["femur_r"] / 0.0481, rel=2e-3)


def test_a_model_of_none_of_these_keeps_its_own() -> None:
    assert mass_shares({"upper": 3.0, "fore": 1.0}, None) == {"upper": 0.75, "fore": 0.25}


@pytest.mark.parametrize(("sex", "head"), [("M", 0.0694), ("F", 0.0668)])
def test_a_head_of_its_own_has_the_published_share_and_the_trunk_the_less(sex: Literal["M", "F"], head: float) -> None:
    whole, apart = mass_shares(WHOLE, sex), mass_shares({**WHOLE, "head": 9.0}, sex)
    assert apart["head"] == pytest.approx(head, rel=2e-3)
    assert apart["pelvis"] + apart["torso"] + apart["head"] == pytest.approx(whole["pelvis"] + whole["torso"])
    assert apart["femur_r"] == pytest.approx(whole["femur_r"])
