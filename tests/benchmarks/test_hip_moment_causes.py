"""One hip whose moments are known: a force of 10 N, one metre below it."""

import numpy as np
import pytest

from benchmarks.hip_moment_causes import (
    AS_STORED,
    AXES,
    CENTRE,
    DEMPSTER,
    FILTER,
    GROUND_ALONE,
    JUDGED,
    MASSES,
    Hip,
    causes_table,
    variants,
    with_masses,
)
from benchmarks.laboratory_moments import Agreement
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.models.shared_model import read_shared_model
from pipeline.records import SIDES

T = 30


def hip(**changed: np.ndarray) -> Hip:
    """The ground pushes backwards with 10 N at the origin; the hip's centre is 1 m above it, theirs 0.2 m forward."""
    wrench = np.tile([0.0, 0.0, 0.0, 10.0, 0.0, 0.0], (T, 1))
    turned = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    given = {
        "wrench": wrench,
        "wrench_dempster": 2 * wrench,
        "wrench_still": 0 * wrench,
        "centre_m": np.tile([0.0, 1.0, 0.0], (T, 1)),
        "their_centre_m": np.tile([0.2, 0.9, 0.0], (T, 1)),
        "thigh": np.tile(np.eye(3), (T, 1, 1)),
        "their_thigh": np.tile(turned, (T, 1, 1)),
        "theirs": np.tile([1.0, 2.0, 3.0], (T, 1)),
        "theirs_filtered": np.tile([4.0, 5.0, 6.0], (T, 1)),
        "their_knee_adduction_deg": np.zeros(T),
    }
    return Hip(side="right", mass_kg=5.0, **(given | changed))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        # About a centre above it, a push forward bends the hip: the moment of -c × F, over the mass.
        ((), (2.0, 0.0, 0.0)),
        ((CENTRE,), (1.8, 0.0, 0.0)),
        # Their thigh faces to the side: what bends ours leads theirs across.
        ((AXES,), (0.0, -2.0, 0.0)),
        ((MASSES,), (4.0, 0.0, 0.0)),
        ((GROUND_ALONE,), (0.0, 0.0, 0.0)),
    ],
)
def test_each_difference_changes_what_it_should(changed: tuple[str, ...], expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(hip().ours(changed), np.tile(expected, (T, 1)), atol=1e-12)


def test_filtering_changes_theirs_alone() -> None:
    growing = np.linspace(1, 2, T)[:, None] * [1.0, 1.0, 1.0]
    push = hip().wrench * growing[:, :1]
    push[:, 5] = push[:, 3]
    varied = hip(wrench=push, theirs=2 * growing - 2, theirs_filtered=2 * growing - 1)
    everywhere = np.ones(T, dtype=bool)
    before, after = (varied.compared("001", changed, everywhere)[0] for changed in ((), (FILTER,)))
    assert (before.mean, before.r) == pytest.approx((2.0, 1.0))
    assert (after.mean, after.r) == pytest.approx((1.0, 1.0))


def test_hips_apart_are_told_along_their_thigh_from_the_inside_out() -> None:
    straight = hip(their_thigh=np.tile(np.eye(3), (T, 1, 1)), their_centre_m=np.tile([0.01, 0.98, -0.03], (T, 1)))
    np.testing.assert_allclose(straight.apart(np.ones(T, dtype=bool)), (-10, 20, 30, 0), atol=1e-9)


def test_differences_are_tried_alone_and_together() -> None:
    tried = variants()
    assert tried[AS_STORED] == ()
    assert tried[f"{CENTRE}, alone"] == (CENTRE,)
    assert tried[f"… and {MASSES}"] == (FILTER, CENTRE, AXES, MASSES)
    found = [Agreement(person="001", side="right", moment=moment, r=0.96, rms=0.05, mean=-0.02) for moment in JUDGED]
    assert causes_table({AS_STORED: found}).endswith(
        "| as stored |" + 2 * " 0.960 | 0.960 | 0.050 | 0.05 | -0.02 | 1 of 1 |"
    )


@pytest.mark.osim
def test_legs_have_dempsters_shares_and_the_rest_stays() -> None:
    skeleton = read_shared_model(model_file_of(None)).skeleton
    changed = with_masses(skeleton.tree, skeleton.bodies, 60.0)
    legs = []
    for parts, share in DEMPSTER.items():
        for side in SIDES:
            places = [skeleton.bodies.index(f"{part}_{side[0]}") for part in parts]
            assert changed.mass_kg[places].sum() == pytest.approx(60.0 * share)
            legs += places
    others = [body for body in range(len(skeleton.bodies)) if body not in legs]
    np.testing.assert_array_equal(changed.mass_kg[others], skeleton.tree.mass_kg[others])
    density = skeleton.tree.inertia_kg_m2[legs] / skeleton.tree.mass_kg[legs, None, None]
    np.testing.assert_allclose(changed.inertia_kg_m2[legs] / changed.mass_kg[legs, None, None], density)
