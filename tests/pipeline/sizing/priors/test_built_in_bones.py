"""Whether a model's bones are the built-in model's, by models that are and are not."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.models.shared_model import shared_model
from pipeline.session.recipe import load_recipe
from pipeline.session.session import Subject
from pipeline.sizing.priors.built_in_bones import other_bones
from pipeline.sizing.priors.proportions import TRUNK_LIKE_PEOPLES, proportion_prior

pytestmark = pytest.mark.osim


def test_the_built_in_model_has_its_own() -> None:
    assert other_bones(shared_model(model_file_of(None)).skeleton) == {}


@pytest.mark.data
def test_another_models_are_other_ones_whatever_they_are_called(shared_data: Path) -> None:
    file = shared_data / "opensim_reference" / "gait2354" / "gait2354_simbody.osim"
    skeleton = shared_model(file).skeleton
    reasons = other_bones(skeleton)

    assert {"pelvis", "femur_r", "femur_l", "tibia_r", "calcn_r", "toes_r"} <= set(skeleton.bodies)
    # Its file has the right hip at (-0.0707, -0.0661, 0.0835), the built-in model at (-0.0563, -0.0785, 0.0773).
    assert reasons["pelvis"] == "femur_r's joint on pelvis lies 20 mm from the built-in model's"
    # It has no arms, by which a torso is known.
    assert "humerus_r" in reasons["torso"]
    assert {"femur_r", "tibia_r"} <= set(reasons)


@pytest.mark.data
def test_a_model_that_was_scaled_already_has_other_ones(shared_data: Path) -> None:
    """Landmarks are in metres, of the unscaled model."""
    file = shared_data / "opensim_reference" / "walking_3d" / "subject_walk_scaled.osim"
    reasons = other_bones(shared_model(file).skeleton)
    assert {"pelvis", "femur_r", "tibia_l"} <= set(reasons)


@pytest.mark.data
def test_what_is_said_of_the_built_in_trunk_is_said_of_no_other(shared_data: Path) -> None:
    """Its notch and acromia are too high, so that people's trunks are shorter than it: gait2354's need not be."""
    file = shared_data / "opensim_reference" / "gait2354" / "gait2354_simbody.osim"
    settings = load_recipe("gait2hip60").scaling

    def trunk_over_thigh(model_file: Path) -> float:
        prior = proportion_prior(
            shared_model(model_file).skeleton, Subject(id="S1", mass_kg=70, height_m=1.7), settings
        )
        shares = dict(zip(prior.names, prior.mean, strict=True))
        return float(np.exp(shares["trunk_length"] - shares["thigh_length"]))

    assert trunk_over_thigh(file) == pytest.approx(1.0)
    assert trunk_over_thigh(model_file_of(None)) == pytest.approx(TRUNK_LIKE_PEOPLES)
