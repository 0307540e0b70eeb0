from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import plates_in_ground
from pipeline.ground.ground_reactions import check_body_weight, check_standing, stride_impulse_errors
from pipeline.markers.ground_frame import ground_rotation
from tests.pipeline.conftest import BODY_N, DOUBLE_S, MASS_KG, STANCE_S
from tests.pipeline.ground.plates_chain import wrenches_of


def test_a_stride_carries_the_bodys_weight(walker, profile, recipe):
    wrenches, events, _ = wrenches_of(walker.recording(), profile, recipe)
    errors = stride_impulse_errors(wrenches, events, MASS_KG)
    # Two stances of ramp, plateau, ramp, against the stride they support.
    expected = 2 * (STANCE_S - DOUBLE_S) / 1.1 - 1
    assert errors["right"] == [pytest.approx(expected, abs=0.02)]
    assert check_body_weight(walker.recording(), errors, MASS_KG, recipe.ground_reactions) == pytest.approx(
        expected, abs=0.02
    )


def test_a_wrong_mass_is_refused(walker, profile, recipe):
    wrenches, events, _ = wrenches_of(walker.recording(), profile, recipe)
    errors = stride_impulse_errors(wrenches, events, 50.0)
    with pytest.raises(TrialRejected, match=r"50.0 kg stated.*session.toml"):
        check_body_weight(walker.recording(), errors, 50.0, recipe.ground_reactions)


def test_standing_is_weighed(walker, profile, recipe):
    recording = walker.recording()
    rotation = ground_rotation(recording, profile)
    standing = tuple(
        replace(plate, force_n=np.tile([0.0, BODY_N / 2, 0.0], (100, 1)), moment_nm=np.zeros((100, 3)))
        for plate in plates_in_ground(recording, rotation)
    )
    assert check_standing(recording, standing, MASS_KG, recipe.scaling) == pytest.approx(0, abs=1e-6)
    with pytest.raises(TrialRejected, match=r"weighs 70.0 kg, but 80.0 kg"):
        check_standing(recording, standing, 80.0, recipe.scaling)
    unloaded = tuple(replace(plate, force_n=plate.force_n * 0) for plate in standing)
    assert np.isnan(check_standing(recording, unloaded, 80.0, recipe.scaling))
