"""The generic model in another size."""

import numpy as np
import pytest

from pipeline.osim.models.default_model import default_model_file
from pipeline.osim.models.mechanics import Mechanics
from pipeline.osim.models.resize import resize_model
from pipeline.records import ModelMarker
from pipeline.user_cache import cache_folder

pytestmark = pytest.mark.osim
KNEE = ModelMarker(name="KNEE", body="femur_r", location_m=(0.0, -0.4, 0.05), fixed=False)


@pytest.fixture(scope="module")
def resized():
    return resize_model(
        default_model_file(cache_folder()),
        factors={"femur_r": (1.0, 1.1, 1.0), "torso": (1.0, 0.9, 1.2)},
        mass_kg=90.0,
        markers=[KNEE],
        moved_m={"KNEE": (0.001, 0.0, 0.0)},
    )


def test_masses_keep_their_proportions(resized):
    from pipeline.osim.models.model import read_summary

    generic = read_summary(default_model_file(cache_folder())).body_mass_kg
    whole = sum(generic.values())
    assert sum(resized.body_mass_kg.values()) == pytest.approx(90.0)
    for body, mass in generic.items():
        assert resized.body_mass_kg[body] == pytest.approx(mass * 90.0 / whole)


def test_markers_go_with_their_body_and_are_then_moved(resized, tmp_path):
    file = tmp_path / "resized.osim"
    file.write_text(resized.osim_xml, "utf-8")
    station = Mechanics(file).marker_stations()["KNEE"]
    np.testing.assert_allclose(station.location_m, (0.001, -0.44, 0.05), atol=1e-12)


def test_bodies_that_no_factor_names_keep_their_size(resized):
    assert resized.scale_factors["tibia_r"] == (1.0, 1.0, 1.0)
    assert resized.scale_factors["torso"] == (1.0, 0.9, 1.2)


def test_a_body_the_model_lacks_is_named():
    with pytest.raises(ValueError, match="no body tail"):
        resize_model(
            default_model_file(cache_folder()), factors={"tail": (1, 1, 1)}, mass_kg=70.0, markers=[], moved_m={}
        )
