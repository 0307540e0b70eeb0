import numpy as np
import pytest

from pipeline.c3d.read_c3d import read_c3d
from pipeline.session.load_profile import load_profile
from pipeline.session.recipe import PACKAGED_RECIPE, load_recipe
from pipeline.session.session import Subject
from pipeline.sizing.standing_body import standing_body

pytestmark = [pytest.mark.osim, pytest.mark.data]


def test_a_standing_adult_has_the_size_that_his_markers_say(shared_data) -> None:
    # 1.86 m, a hospital's adult; the built-in model is 1.69 m.
    static = read_c3d(shared_data / "hospitals" / "QCMAS" / "QCMAS.static.c3d")
    profile = load_profile("auto", [set(static.marker_labels)])
    body = standing_body(
        profile, static, Subject(id="S", mass_kg=70.2, height_m=1.86), load_recipe(PACKAGED_RECIPE).scaling
    )
    assert body.factors["femur_r"][1] == pytest.approx(1.86 / 1.69, rel=0.05)
    assert body.factors["tibia_l"][1] == pytest.approx(1.86 / 1.69, rel=0.05)
    off_m = [np.linalg.norm(body.modelled_m[label] - body.measured_m[label]) for label in ("RASI", "LKNE", "RHEE")]
    assert max(off_m) < 0.005
    hip, knee = body.bones["tibia_r"]
    assert 0.3 < hip[1] - knee[1] < 0.6
    assert {"pelvis_less_spines", "hip_centre_from_regression"} <= {figure.figure for figure in body.figures}
