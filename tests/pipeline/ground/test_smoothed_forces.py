from dataclasses import replace

import numpy as np
import pytest

from pipeline.ground.contacts import find_contacts, plates_in_ground
from pipeline.ground.smoothed_forces import smoothing_warnings
from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.signals import low_pass
from tests.pipeline.conftest import BODY_N, DOUBLE_S, MASS_KG


@pytest.fixture
def sudden(walker):
    """A walk whose plates are loaded within 10 ms, as heels load them."""
    recording = walker.recording()
    plates = []
    for plate in recording.plates:
        share = np.clip(plate.force_n[:, 2:] / BODY_N, 1e-9, 1)
        sooner = np.clip(share * DOUBLE_S / 0.01, 0, 1) / share * (share > 1e-8)
        plates.append(replace(plate, force_n=plate.force_n * sooner, moment_nm=plate.moment_nm * sooner))
    return replace(recording, plates=tuple(plates))


def warnings_of(recording, profile, recipe) -> list[str]:
    rotation = ground_rotation(recording, profile)
    markers = to_ground(recording, rotation, recording.marker_labels)
    plates = plates_in_ground(recording, rotation)
    contacts = find_contacts(recording, plates, markers, profile, MASS_KG, recipe.ground_reactions)
    assert len([contact for contact in contacts if contact.usable]) == 2
    return smoothing_warnings(recording, plates, contacts, MASS_KG, recipe.ground_reactions)


def changed(recording, how):
    return replace(
        recording,
        plates=tuple(
            replace(plate, force_n=how(plate.force_n), moment_nm=how(plate.moment_nm)) for plate in recording.plates
        ),
    )


@pytest.mark.parametrize("cutoff_hz", [6.0, 10.0])
def test_forces_smoothed_before_export_are_told(sudden, profile, recipe, cutoff_hz):
    rate_hz = sudden.analog_rate_hz
    (told,) = warnings_of(changed(sudden, lambda part: low_pass(part, rate_hz, cutoff_hz)), profile, recipe)
    assert "of body weight just before each strike" in told


def test_forces_as_recorded_are_not(sudden, profile, recipe):
    assert warnings_of(sudden, profile, recipe) == []


def test_neither_noise_nor_an_offset_is_smoothing(sudden, profile, recipe):
    rng = np.random.default_rng(1)
    noisy = changed(sudden, lambda part: part + rng.normal(0, 3, part.shape) - 6)
    assert warnings_of(noisy, profile, recipe) == []
    assert warnings_of(changed(sudden, lambda part: low_pass(part, 1000.0, 100.0)), profile, recipe) == []
