import numpy as np
import pytest

from warehouse.resample import monotone_cubic, resample_cycles


def test_a_straight_line_stays_straight() -> None:
    at_known, at = np.linspace(0, 1, 180), np.linspace(0, 1, 101)

    found = monotone_cubic(at_known, np.column_stack([3 * at_known - 1, -at_known]), at)

    np.testing.assert_allclose(found, np.column_stack([3 * at - 1, -at]), atol=1e-14)


def test_a_force_never_overshoots_below_zero() -> None:
    pulse = np.zeros((180, 1))
    pulse[60:65] = 1000.0

    found = monotone_cubic(np.linspace(0, 1, 180), pulse, np.linspace(0, 1, 1001))

    assert found.min() == 0
    assert found.max() == 1000


def test_cycles_are_resampled_each_by_itself() -> None:
    phase = np.linspace(0, 1, 180)
    cycles = np.stack([np.column_stack([phase, 10 - phase]), np.column_stack([5 * phase, phase])])

    found = resample_cycles(cycles, 101)

    at = np.linspace(0, 1, 101)
    np.testing.assert_allclose(found[0], np.column_stack([at, 10 - at]), atol=1e-12)
    np.testing.assert_allclose(found[1], np.column_stack([5 * at, at]), atol=1e-12)


def test_as_many_points_as_stored_changes_nothing() -> None:
    cycles = np.random.default_rng(1).normal(size=(3, 50, 4))

    assert resample_cycles(cycles, 50) is cycles


def test_what_is_not_known_stays_unknown_and_nothing_else_does() -> None:
    cycles = np.ones((2, 20, 3))
    cycles[1, 7, 2] = np.nan

    found = resample_cycles(cycles, 11)

    assert np.isnan(found[1, :, 2]).all()
    assert np.isfinite(found).sum() == 5 * 11


def test_nan_is_refused_where_it_is_not_expected() -> None:
    with pytest.raises(ValueError, match="finite"):
        monotone_cubic(np.arange(3.0), np.array([[1.0], [np.nan], [2.0]]), np.array([0.5]))
