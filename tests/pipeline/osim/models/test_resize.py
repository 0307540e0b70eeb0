"""The generic model in another size."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.osim.models.default_model import default_model_file
from pipeline.osim.models.mechanics import Mechanics
from pipeline.osim.models.resize import resize_model
from pipeline.osim.models.shared_model import shared_model
from pipeline.records import ModelMarker, ScaledModel
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
    )


def test_masses_keep_their_proportions(resized):
    from pipeline.osim.models.model import read_summary

    generic = read_summary(default_model_file(cache_folder())).body_mass_kg
    whole = sum(generic.values())
    assert sum(resized.body_mass_kg.values()) == pytest.approx(90.0)
    for body, mass in generic.items():
        assert resized.body_mass_kg[body] == pytest.approx(mass * 90.0 / whole)


def test_markers_are_where_they_were_put_on_the_larger_body(resized, tmp_path):
    station = Mechanics(written(resized, tmp_path)).marker_stations()["KNEE"]
    np.testing.assert_allclose(station.location_m, KNEE.location_m, atol=1e-12)


def test_bodies_that_no_factor_names_keep_their_size(resized):
    assert resized.scale_factors["tibia_r"] == (1.0, 1.0, 1.0)
    assert resized.scale_factors["torso"] == (1.0, 0.9, 1.2)


def test_a_body_the_model_lacks_is_named():
    with pytest.raises(ValueError, match="no body tail"):
        resize_model(default_model_file(cache_folder()), factors={"tail": (1, 1, 1)}, mass_kg=70.0, markers=[])


def test_a_body_has_its_share_of_the_mass_and_as_much_more_inertia(resized, tmp_path):
    whole = sum(resized.body_mass_kg.values())
    shares = {body: mass / whole for body, mass in resized.body_mass_kg.items()}
    shares |= {"femur_r": 1.5 * shares["femur_r"], "torso": shares["torso"] - 0.5 * shares["femur_r"]}

    shared = resize_model(
        default_model_file(cache_folder()),
        factors={"femur_r": (1.0, 1.1, 1.0), "torso": (1.0, 0.9, 1.2)},
        mass_kg=90.0,
        markers=[],
        mass_shares=shares,
    )

    assert shared.body_mass_kg == pytest.approx({body: 90.0 * share for body, share in shares.items()})
    before, after = (inertia(written(each, tmp_path), "femur_r") for each in (resized, shared))
    np.testing.assert_allclose(after, 1.5 * before, rtol=1e-12)


def test_a_range_is_widened_to_hold_an_angle_and_never_narrowed(tmp_path):
    model = resize_model(
        default_model_file(cache_folder()),
        factors={},
        mass_kg=70.0,
        markers=[],
        reached_deg={"hip_flexion_r": -45.0, "hip_flexion_l": -10.0, "ankle_angle_r": 50.0},
    )
    skeleton = shared_model(written(model, tmp_path))
    generic = shared_model(default_model_file(cache_folder()))
    changed = {"hip_flexion_r": (-45.0, 120.0), "ankle_angle_r": (-40.0, 50.0)}
    for name in ("hip_flexion_r", "hip_flexion_l", "hip_adduction_r", "ankle_angle_r", "ankle_angle_l"):
        number = generic.names.index(name)
        before = (generic.skeleton.low[number], generic.skeleton.high[number])
        after = (skeleton.skeleton.low[number], skeleton.skeleton.high[number])
        assert np.degrees(after) == pytest.approx(changed.get(name, np.degrees(before)))


def test_a_coordinate_the_model_lacks_is_named():
    with pytest.raises(ValueError, match="no coordinate tail_wag to widen"):
        resize_model(
            default_model_file(cache_folder()), factors={}, mass_kg=70.0, markers=[], reached_deg={"tail_wag": -45.0}
        )


def written(model: ScaledModel, folder: Path) -> Path:
    file = folder / f"{hash(model.osim_xml)}.osim"
    file.write_text(model.osim_xml, "utf-8")
    return file


def inertia(file: Path, body: str) -> np.ndarray:
    """Moments and products of inertia (6,)."""
    import opensim as osim

    model = osim.Model(str(file))
    tensor = model.getBodySet().get(body).getInertia()
    moments, products = tensor.getMoments(), tensor.getProducts()
    return np.array([of.get(k) for of in (moments, products) for k in range(3)])
