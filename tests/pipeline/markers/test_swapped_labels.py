from itertools import combinations

import numpy as np
import pytest

from pipeline.markers.swapped_labels import fix_swaps, model_places
from pipeline.records import Markers

TORSO = ("CV7", "TV10", "SXS", "SJN")


def standing(profile, scale=1.0, labels=TORSO):
    places = model_places(profile)
    rotation = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    pose = np.stack([rotation @ (scale * places[label]) + np.array([1.0, 2, 3]) for label in labels])
    return Markers(time_s=np.arange(2) / 100, rate_hz=100.0, labels=labels, positions_m=np.stack([pose, pose]))


@pytest.mark.parametrize("pair", [pair for pair in combinations(TORSO, 2) if set(pair) != {"TV10", "SXS"}])
def test_an_exchanged_pair_is_put_right_and_said(profile, recipe, pair):
    right = standing(profile, scale=1.15)
    swapped = list(TORSO)
    i, j = swapped.index(pair[0]), swapped.index(pair[1])
    swapped[i], swapped[j] = swapped[j], swapped[i]
    positions = right.positions_m[:, [TORSO.index(label) for label in swapped]]
    wrong = Markers(time_s=right.time_s, rate_hz=100.0, labels=TORSO, positions_m=positions)
    mended, warnings = fix_swaps(wrong, model_places(profile), profile, recipe.scaling)
    assert mended.positions_m == pytest.approx(right.positions_m)
    assert len(warnings) == 1
    assert all(label in warnings[0] for label in pair)


def test_what_is_right_is_left_alone(profile, recipe):
    right = standing(profile, labels=tuple(profile.markers))
    mended, warnings = fix_swaps(right, model_places(profile), profile, recipe.scaling)
    assert warnings == ()
    assert mended is right


def test_soft_tissue_and_another_build_are_not_swaps(profile, recipe):
    right = standing(profile, labels=tuple(profile.markers))
    rng = np.random.default_rng(1)
    for _ in range(50):
        stretch = rng.uniform(0.85, 1.2, size=3)
        noisy = Markers(
            time_s=right.time_s,
            rate_hz=100.0,
            labels=right.labels,
            positions_m=right.positions_m * stretch + rng.normal(0, 0.01, right.positions_m.shape),
        )
        assert fix_swaps(noisy, model_places(profile), profile, recipe.scaling)[1] == ()
