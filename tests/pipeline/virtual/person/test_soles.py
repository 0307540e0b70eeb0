"""A sole lies under its foot's markers."""

from dataclasses import replace

import pytest

from pipeline.session.load_profile import load_profile
from pipeline.virtual.person.soles import sole_of

PROFILE = load_profile("isb_full_body")


def test_heel_and_ball_lie_between_the_foots_markers():
    sole = sole_of(PROFILE, "left")
    heel, toe = (PROFILE.markers[name].location_m for name in ("L_FCC", "L_FM2"))
    assert sole.heel.body == sole.ball.body == "calcn_l"
    assert heel[0] < sole.heel.location_m[0] < sole.ball.location_m[0] == toe[0]
    assert sole.heel.location_m[1] < heel[1]


def test_a_larger_foot_has_a_larger_sole():
    sole = sole_of(PROFILE, "right")
    larger = sole.scaled({"calcn_r": (2.0, 1.0, 1.0)})
    assert larger.ball.location_m[0] == 2 * sole.ball.location_m[0]
    assert larger.ball.location_m[1:] == sole.ball.location_m[1:]


def test_markers_on_two_bodies_are_refused():
    toe = PROFILE.markers["R_FM2"].model_copy(update={"body": "toes_r"})
    other = PROFILE.model_copy(update={"markers": PROFILE.markers | {"R_FM2": toe}})
    with pytest.raises(ValueError, match="R_FCC, R_FM2 must be on one body"):
        sole_of(other, "right")
    assert replace(sole_of(PROFILE, "right"), side="left").side == "left"
