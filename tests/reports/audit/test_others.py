import numpy as np
import pytest

from benchmarks.audit import at
from reports.audit.others import FLOOR, correlations, distance_limit, distances, others_of, robust_sd
from warehouse.channels import ALL_CHANNELS


def test_the_others_are_everybody_but_the_subject() -> None:
    """Subjects at 0, 1, 2, 3, 4 and 100 in every channel, flat over the cycle."""
    heights = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 100.0])
    curves = np.broadcast_to(heights[:, None, None], (6, len(ALL_CHANNELS), 10))

    others = others_of(curves)

    assert others.center[:, 0, 0].tolist() == [3, 3, 3, 2, 2, 2]
    # Deviations of 0-4 from their median: 2, 1, 0, 1, 2.
    spread = 1.4826 * 1.206
    floor = FLOOR[at("force_glmed")]
    assert others.spread[5, at("force_glmed"), 0] == pytest.approx(np.sqrt(1.25 * spread**2 + floor**2), rel=1e-6)
    # 100 doesn't move what the others are measured by beyond one rank.
    assert others.spread[0, 0, 0] < 3
    assert distances(curves, others.center, others.spread)[5].min() > 40


def test_many_subjects_share_one_center_that_hardly_differs() -> None:
    random = np.random.default_rng(0)
    curves = random.standard_normal((150, len(ALL_CHANNELS), 4))

    shared, own = others_of(curves), others_of(curves[:90])

    assert (shared.center[0] == shared.center[149]).all()
    assert (own.center[0] != own.center[89]).any()
    # A standard deviation of 1, half of it as floor, and what matters to nobody.
    assert shared.spread[0, at("force_glmed")].mean() == pytest.approx(np.sqrt(1.25 + 0.1**2), rel=0.15)


def test_normal_values_give_their_standard_deviation() -> None:
    random = np.random.default_rng(0)
    for n in (4, 5, 9, 30):
        found = robust_sd(3 * random.standard_normal((n, 20_000)))
        assert found.mean() == pytest.approx(3, rel=0.02)


def test_what_a_minority_does_is_far_from_the_rest_among_few_but_not_among_many() -> None:
    """One in eight, and one in sixty, whose muscle is silent where the others' is not."""
    random = np.random.default_rng(0)

    def far(n: int, n_silent: int) -> np.ndarray:
        curves = 5 + 0.2 * random.standard_normal((n, len(ALL_CHANNELS), 4))
        curves[:n_silent] = 0
        others = others_of(curves)
        return (distances(curves, others.center, others.spread) > distance_limit(n - 1)).any(axis=1).nonzero()[0]

    assert far(8, 1).tolist() == [0] and far(60, 1).tolist() == [0]
    assert far(64, 8).tolist() == []


def test_fewer_others_take_more_to_be_far_from() -> None:
    limits = [distance_limit(n) for n in (4, 5, 11, 59, 10_000)]

    assert limits == sorted(limits, reverse=True)
    assert limits[-1] == pytest.approx(3.5, rel=1e-3)


def test_normal_curves_are_rarely_far() -> None:
    """What `limit` promises of curves with three independent features: less than one in a thousand."""
    random = np.random.default_rng(1)
    phase = np.linspace(0, 2 * np.pi, 20)
    features = np.stack([np.ones(20), np.sin(phase), np.cos(phase)])
    for n_others in (4, 5, 11, 39):
        n_far = n_curves = 0
        while n_curves < 4000:
            curves = 30 * random.standard_normal((n_others + 1, len(ALL_CHANNELS), 3)) @ features
            others = others_of(curves)
            n_far += int((distances(curves, others.center, others.spread) > distance_limit(n_others)).sum())
            n_curves += curves.shape[0] * curves.shape[1]
        assert n_far <= 8


def test_a_constant_correlates_with_nothing() -> None:
    curve, constant = np.sin(np.arange(10.0))[None], np.full((1, 10), 3.0)

    assert correlations(curve, -2 * curve + 1) == pytest.approx(-1)
    assert np.isnan(correlations(constant, curve)).all()
