import numpy as np
import pytest

from pipeline.session.load_profile import load_profile
from pipeline.session.recipe import load_recipe
from pipeline.sizing.pairs.static_fit import static_fit

PROFILE = load_profile("isb_full_body")
SETTINGS = load_recipe("gait2hip60").scaling
SHAPING = [name for name, marker in PROFILE.markers.items() if marker.static_weight > 0 and not marker.guide]
GUIDES = [name for name, marker in PROFILE.markers.items() if marker.guide]


def test_a_good_fit_is_not_mentioned():
    found = static_fit(dict.fromkeys(SHAPING, 0.029), PROFILE, SETTINGS)

    assert found.warning == ""
    assert (found.sd, found.sd_limit, found.unit) == (pytest.approx(29.0), pytest.approx(30.0), "mm")


def test_a_bad_fit_names_its_size_and_the_worst_marker():
    errors_m = dict.fromkeys(SHAPING, 0.04) | {SHAPING[0]: 0.09}

    found = static_fit(errors_m, PROFILE, SETTINGS)

    rms_mm = 1e3 * np.sqrt(np.mean([0.09**2] + [0.04**2] * (len(SHAPING) - 1)))
    assert found.sd == pytest.approx(rms_mm)
    assert f"known to ± {rms_mm:.0f} mm, expected at most 30" in found.warning
    assert f"{SHAPING[0]} 90 mm" in found.warning


def test_however_badly_it_fits_the_body_is_not_refused():
    assert not static_fit(dict.fromkeys(SHAPING, 0.5), PROFILE, SETTINGS).refused


@pytest.mark.parametrize("ignored", [dict.fromkeys(GUIDES, 0.5), {SHAPING[0]: float("nan")}])
def test_guides_and_markers_that_were_not_seen_are_left_out(ignored):
    errors_m = dict.fromkeys(SHAPING, 0.01) | ignored

    assert static_fit(errors_m, PROFILE, SETTINGS).sd == pytest.approx(10.0)
