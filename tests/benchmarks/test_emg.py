"""Muscles against EMG made from them, with a delay that is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.emg import (
    DELAYS_S,
    agreement,
    best_delay,
    change_rows,
    compare,
    correlated,
    envelope,
    mean_correlation,
    muscle_rows,
    people_rows,
)

RATE_HZ, DELAY_S = 1500.0, 0.06
TIME_S = np.arange(0.3, 1.3, 0.01)
UNITS = ("soleus_r", "glmed1_r", "glmed2_r", "glmed3_r")


def drive(time_s):
    """How hard a muscle is driven: two bursts a second."""
    return np.sin(2 * np.pi * time_s) ** 2


def walk(known=True, silent=False):
    """Soleus and gluteus medius, whose EMG goes before their force by `DELAY_S`."""
    sampled_s = np.arange(int(1.6 * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(1).standard_normal((len(sampled_s), 2))
    emg = np.zeros_like(noise) if silent else drive(sampled_s + DELAY_S)[:, None] * noise
    stride = SimpleNamespace(side="right")
    return SimpleNamespace(
        observed=SimpleNamespace(
            recording=SimpleNamespace(
                time_s=np.zeros(1),
                analog_rate_hz=RATE_HZ,
                analog_labels=("R_soleus", "R_gluteus_medius"),
                analog=emg,
            ),
            strides=(stride, SimpleNamespace(side="left")),
        ),
        person=SimpleNamespace(
            shared=SimpleNamespace(muscles=SimpleNamespace(fibres=SimpleNamespace(strength_n=np.full(4, 100.0)))),
            cohort="adults",
            name="A",
        ),
        condition="preferred",
        known=lambda stride: np.full(len(TIME_S), known and stride.side == "right"),
    )


def muscles(scale=1.0):
    activation = scale * np.tile(drive(TIME_S)[:, None], (1, 4))
    return SimpleNamespace(time_s=TIME_S, muscle_names=UNITS, activation=activation, force_n=100 * activation)


def test_the_delay_is_found_and_leaves_a_high_correlation():
    found = compare(walk(), muscles())
    assert [one.muscle for one in found] == ["soleus", "gluteus medius"]
    for one in found:
        assert DELAYS_S[best_delay([one], "force")] == pytest.approx(DELAY_S, abs=0.011)
        assert one.correlation["force"].max() > 0.95
        assert one.kappa["force"][best_delay([one], "force")] > 0.7


@pytest.mark.parametrize("one", [walk(known=False), walk(silent=True)])
def test_a_channel_without_signal_or_known_stride_is_left_out(one):
    assert compare(one, muscles()) == []


def test_an_envelope_follows_the_amplitude_alone():
    time_s = np.arange(3000) / RATE_HZ
    drift = 5 * np.sin(2 * np.pi * 2 * time_s)
    smooth = envelope(drift + np.sin(2 * np.pi * 150 * time_s) * np.where(time_s > 1, 2.0, 1.0), RATE_HZ)
    # A rectified sine's mean is 2/π of its amplitude.
    assert smooth[1000] == pytest.approx(2 / np.pi, rel=0.05)
    assert smooth[2000] == pytest.approx(4 / np.pi, rel=0.05)


def test_agreement_is_one_for_the_same_and_nothing_for_chance():
    time_s = np.linspace(0, 4, 400, endpoint=False)
    assert agreement(drive(time_s), 3 * drive(time_s) + 1) == pytest.approx(1)
    assert agreement(np.tile([0.0, 1, 0, 1], 50), np.tile([0.0, 0, 1, 1], 50)) == pytest.approx(0)
    assert np.isnan(agreement(drive(time_s), np.ones(400)))
    assert np.isnan(correlated(drive(time_s), np.ones(400)))


def test_tables_have_a_row_a_muscle_and_a_person():
    found = compare(walk(), muscles())
    assert mean_correlation(found) > 0.95
    assert len(muscle_rows(found).splitlines()) == 2 + 2 + 1
    assert people_rows(found).splitlines()[-1].startswith("| A | preferred | 0.9")
    change = change_rows(found, found[:1]).splitlines()
    assert [line.split(" | ")[0] for line in change[2:]] == ["| soleus"]
