"""A virtual body is the generic model in another size."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.virtual.person.anthropometry import draw_subject
from pipeline.virtual.person.body import require_adult

SUBJECT = draw_subject("healthy", 1, np.random.default_rng(0))


@pytest.mark.osim
def test_bodies_add_up_to_the_subjects_mass(body):
    assert sum(body.model.body_mass_kg.values()) == pytest.approx(body.subject.mass_kg)


@pytest.mark.osim
def test_markers_lie_over_the_subjects_own_bones(body):
    from pipeline.session.load_profile import load_profile
    from pipeline.sizing.priors.landmarks import marker_prior

    profile = load_profile("isb_full_body")
    for label, marker in profile.markers.items():
        prior = marker_prior(marker)
        bone_m = np.multiply(prior.bone_m, body.subject.segment_factors.get(marker.body, (1, 1, 1)))
        # Skin and the marker's radius don't grow.
        np.testing.assert_allclose(body.markers[label].location_m, bone_m + prior.over_m, atol=1e-9)


@pytest.mark.osim
def test_a_taller_bodys_legs_are_longer(body):
    pose = np.zeros((1, len(body.mechanics.names)))
    knee, ankle = body.mechanics.positions_m(pose, [body.markers["R_FLE"], body.markers["R_FAL"]])[0]
    # On the generic model these two markers are 0.396 m apart along the shank, less where the femur puts the knee.
    assert knee[1] - ankle[1] == pytest.approx(0.385 * body.subject.segment_factors["tibia_r"][1], abs=0.02)


@pytest.mark.parametrize(("change", "says"), [({"mass_kg": 20.0}, "mass_kg=20"), ({"height_m": 2.3}, "height_m=2.3")])
def test_a_body_the_model_cannot_stand_for_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        require_adult(replace(SUBJECT, **change))
