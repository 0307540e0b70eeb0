import numpy as np

from pipeline.sizing.priors.ranges import reached_deg, widened

NAMES = ("hip_flexion_r", "knee_angle_l", "ankle_angle_r", "lumbar_extension")


def test_hip_knee_and_ankle_reach_beyond_the_generic_ranges_at_the_ends_that_walking_meets(recipe):
    settings = recipe.scaling
    narrow = np.radians([-30.0, 0.0, -40.0, -90.0]), np.radians([120.0, 120.0, 30.0, 90.0])
    low, high = widened(*narrow, NAMES, settings)
    extended, hyperextended = -settings.hip_extension_deg, -settings.knee_hyperextension_deg
    np.testing.assert_allclose(np.degrees(low), [extended, hyperextended, -40.0, -90.0])
    np.testing.assert_allclose(np.degrees(high), [120.0, 120.0, settings.ankle_dorsiflexion_deg, 90.0])


def test_a_wider_range_stays(recipe):
    wide = np.full(4, -3.0), np.full(4, 3.0)
    np.testing.assert_array_equal(widened(*wide, NAMES, recipe.scaling), wide)


def test_a_loaded_ankle_dorsiflexes_as_the_lunge_test_says(recipe):
    # Calatayud et al. (2015): 40.6 and 5.2 degrees; two deviations more are 51.
    assert 40.6 + 5.2 < reached_deg(NAMES, recipe.scaling)["ankle_angle_r"] < 40.6 + 2 * 5.2
