"""Inputs beyond the angles, against motion whose velocity is known."""

from dataclasses import replace

import numpy as np
import pytest

from models.data.inputs import MODEL_INPUTS, input_channels, inputs_of
from tests.models.samples import made_cycles


def test_every_input_has_as_many_channels_as_it_says() -> None:
    cycles = made_cycles()

    for name in MODEL_INPUTS:
        assert inputs_of(cycles, [name]).shape == (24, 24, len(input_channels([name])))


def test_velocity_is_in_real_time() -> None:
    cycles = made_cycles(n_points=21)
    ramp = np.linspace(0, 40, 21)[None, :, None] * np.ones((24, 1, 10))
    walked = replace(cycles, angles_deg=ramp, duration_s=np.where(np.arange(24) < 12, 1.0, 0.5))

    velocity = inputs_of(walked, ["velocities"])

    np.testing.assert_allclose(velocity[:12], 40, rtol=1e-5)
    np.testing.assert_allclose(velocity[12:], 80, rtol=1e-5)


def test_order_is_kept_and_what_holds_for_a_cycle_is_repeated() -> None:
    cycles = made_cycles()

    found = inputs_of(cycles, ["stride_frequency", "angles"])

    np.testing.assert_allclose(found[..., 0], 1 / 1.1, rtol=1e-6)
    np.testing.assert_array_equal(found[..., 1:], cycles.angles_deg)


def test_what_was_not_measured_is_named() -> None:
    cycles = replace(made_cycles(), height_m=np.where(np.arange(24) < 4, np.nan, 1.7))

    with pytest.raises(ValueError, match=r"'height' is unknown for 4 cycles \(subjects: made/S00\)"):
        inputs_of(cycles, ["angles", "height"])


def test_conditions_are_told_apart_by_ones_and_zeros() -> None:
    cycles = made_cycles()

    found = inputs_of(cycles, ["condition:slow,med,fast"])

    assert [channel.name for channel in input_channels(["condition:slow,med,fast"])] == [
        "condition_slow",
        "condition_med",
        "condition_fast",
    ]
    assert set(cycles.condition) == {"slow", "fast"}
    np.testing.assert_array_equal(found[cycles.condition == "slow"], np.broadcast_to([1, 0, 0], (12, 24, 3)))
    np.testing.assert_array_equal(found[cycles.condition == "fast"], np.broadcast_to([0, 0, 1], (12, 24, 3)))


def test_a_condition_that_the_model_does_not_know_is_named() -> None:
    with pytest.raises(ValueError, match="slow, med apart, and these cycles were walked in another: fast"):
        inputs_of(made_cycles(), ["angles", "condition:slow,med"])


@pytest.mark.parametrize("name", ["condition:", "condition:slow,slow", "condition:slow,"])
def test_conditions_must_be_named_once(name: str) -> None:
    with pytest.raises(ValueError, match="expected names of conditions, each once"):
        input_channels([name])


@pytest.mark.parametrize("names", [[], ["angles", "angles"], ["angels"]])
def test_unknown_inputs_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="expected one or more of angles, velocities"):
        input_channels(names)
