import numpy as np
import pytest

from pipeline.virtual.instruments.blemishes import load_blemishes
from pipeline.virtual.instruments.marker_blemishes import (
    draw_skin,
    hide,
    noise_m,
    noise_marks,
    skin_displacement_m,
    swap_labels,
)
from pipeline.virtual.records import FootContact
from tests.pipeline.virtual.performances import PROFILE

LABELS = tuple(PROFILE.markers)
NONE = load_blemishes("none")
RATE_HZ = 100.0
STRIDE_S = 1.1
# Both legs' strikes, half a stride apart, over four strides.
CONTACTS = tuple(
    FootContact(side=side, strike_s=first_s + n * STRIDE_S, off_s=first_s + n * STRIDE_S + 0.6)
    for side, first_s in (("right", 0.2), ("left", 0.75))
    for n in range(4)
)


def _rng() -> np.random.Generator:
    return np.random.default_rng(11)


def _markers(frames: int = 400) -> np.ndarray:
    return _rng().uniform(-1, 1, (frames, len(LABELS), 3))


def test_each_marker_s_artefact_has_its_segment_s_size_over_a_cycle() -> None:
    settings = NONE.model_copy(update={"thigh_skin_mm": 8.0, "shank_skin_mm": 3.0})
    # Fifty strides, so that the mean square over whole strides is the cycle's.
    time_s = np.arange(round(50 * STRIDE_S * RATE_HZ)) / RATE_HZ
    displaced = skin_displacement_m(draw_skin(LABELS, PROFILE, settings, _rng()), CONTACTS, time_s)
    rms_mm = dict(zip(LABELS, np.sqrt(np.mean(np.sum((1e3 * displaced) ** 2, axis=2), axis=0)), strict=True))

    for label in ("R_FTC", "L_FLE", "R_FME"):
        assert rms_mm[label] == pytest.approx(8.0, rel=1e-3)
    assert rms_mm["L_TTC"] == pytest.approx(3.0, rel=1e-3)
    assert rms_mm["R_IAS"] == 0.0


def test_the_artefact_repeats_with_its_own_leg_s_stride() -> None:
    settings = NONE.model_copy(update={"thigh_skin_mm": 8.0})
    skin = draw_skin(LABELS, PROFILE, settings, _rng())
    stride = 110
    displaced = skin_displacement_m(skin, CONTACTS, np.arange(500) / RATE_HZ)

    np.testing.assert_allclose(displaced[stride:], displaced[:-stride], atol=1e-12)
    assert np.ptp(displaced[:stride, LABELS.index("L_FTC")], axis=0).max() > 0.005


def test_a_leg_that_was_seen_to_strike_once_has_no_known_phase_and_no_artefact() -> None:
    skin = draw_skin(LABELS, PROFILE, NONE.model_copy(update={"thigh_skin_mm": 8.0}), _rng())

    displaced = skin_displacement_m(skin, [one for one in CONTACTS if one.side == "right"], np.arange(100) / RATE_HZ)

    assert displaced[:, LABELS.index("R_FTC")].any()
    assert not displaced[:, LABELS.index("L_FTC")].any()


@pytest.mark.parametrize(
    ("changed", "expected_mm"),
    [
        ({"marker_white_noise_mm": 0.3}, 0.3),
        ({"marker_slow_noise_mm": 0.5, "marker_slow_noise_hz": 5.0}, 0.5),
        ({}, 0.0),
    ],
)
def test_noise_has_the_stated_size(changed: dict[str, float], expected_mm: float) -> None:
    noise = noise_m((3000, 10, 3), RATE_HZ, NONE.model_copy(update=changed), _rng())

    assert 1e3 * noise.std() == pytest.approx(expected_mm, rel=0.06)


def test_slow_noise_hardly_changes_from_frame_to_frame() -> None:
    settings = NONE.model_copy(update={"marker_slow_noise_mm": 0.5, "marker_slow_noise_hz": 1.0})
    noise = noise_m((2000, 10, 3), RATE_HZ, settings, _rng())

    assert np.diff(noise, axis=0).std() < 0.1 * noise.std()


def test_gaps_are_as_many_and_as_long_as_asked_and_accounted_for() -> None:
    settings = NONE.model_copy(update={"gaps_per_trial": 40.0, "gap_s": 0.1})
    markers = _markers(5000)
    shown, marks = hide(markers, LABELS, RATE_HZ, settings, _rng())
    lengths_s = [mark.value for mark in marks if mark.figure == "length"]

    assert 20 < len(lengths_s) < 60
    assert np.mean(lengths_s) == pytest.approx(0.1, rel=0.4)
    hidden = np.isnan(shown[..., 0])
    assert hidden.sum() <= round(sum(lengths_s) * RATE_HZ)
    assert {LABELS[column] for column in np.flatnonzero(hidden.any(axis=0))} == {mark.of for mark in marks}
    np.testing.assert_array_equal(shown[~hidden], markers[~hidden])


def test_a_swap_exchanges_two_markers_of_one_segment_from_the_stated_time_on() -> None:
    markers = _markers()
    settings = NONE.model_copy(update={"swapped_labels_ratio": 1.0})

    swapped, (mark,) = swap_labels(markers, LABELS, PROFILE, RATE_HZ, settings, _rng())

    first, second = mark.of.split(" and ")
    start = round(mark.value * RATE_HZ)
    assert PROFILE.markers[first].body == PROFILE.markers[second].body
    pair = [LABELS.index(first), LABELS.index(second)]
    np.testing.assert_array_equal(swapped[start:, pair], markers[start:, pair[::-1]])
    np.testing.assert_array_equal(swapped[:start], markers[:start])
    others = [column for column in range(len(LABELS)) if column not in pair]
    np.testing.assert_array_equal(swapped[:, others], markers[:, others])


def test_without_blemishes_nothing_changes_and_nothing_is_accounted_for() -> None:
    markers = _markers()

    assert hide(markers, LABELS, RATE_HZ, NONE, _rng())[1] == ()
    assert swap_labels(markers, LABELS, PROFILE, RATE_HZ, NONE, _rng())[0] is markers
    assert noise_marks(NONE) == ()
    assert not skin_displacement_m(draw_skin(LABELS, PROFILE, NONE, _rng()), CONTACTS, np.arange(200) / RATE_HZ).any()


def test_a_marker_on_a_body_of_unknown_skin_is_refused() -> None:
    marker = PROFILE.markers["CV7"].model_copy(update={"body": "head"})
    profile = PROFILE.model_copy(update={"markers": {"CV7": marker}})

    with pytest.raises(ValueError, match="nothing is known of the skin over 'head'"):
        draw_skin(["CV7"], profile, NONE, _rng())
