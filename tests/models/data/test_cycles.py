"""Cycles without gaps, their statistics, and a split in which nobody is on both sides."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from models.data.cycles import Statistics, SubjectSplit, statistics_of
from tests.models.samples import made_cycles


def test_statistics_are_over_all_cycles_and_points_of_all_parts() -> None:
    values = np.array([1.0, 3.0, 5.0])[:, None, None] * np.ones((3, 7, 1))

    statistics = statistics_of(lambda: [values[:1], values[1:]])

    assert statistics.mean == pytest.approx([3])
    assert statistics.sd == pytest.approx([np.sqrt(8 / 3)])


def test_standardising_and_restoring_are_inverse() -> None:
    values = np.random.default_rng(0).normal(size=(4, 5, 3), loc=[0, 10, -100], scale=[1, 5, 0.1])
    statistics = statistics_of(lambda: [values])

    scores = statistics.standardise(values)

    np.testing.assert_allclose(scores.reshape(-1, 3).mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(scores.reshape(-1, 3).std(axis=0), 1, atol=1e-4)
    np.testing.assert_allclose(statistics.restore(scores), values, atol=1e-4)


def test_a_channel_that_never_varies_stays_finite() -> None:
    statistics = statistics_of(lambda: [np.full((2, 3, 1), 4.0)])

    assert statistics == Statistics(mean=(4.0,), sd=(1.0,))


def test_a_subject_on_both_sides_is_refused() -> None:
    with pytest.raises(ValidationError, match="both sides of the split: b"):
        SubjectSplit(train=("a", "b"), test=("b", "c"))


@pytest.mark.parametrize("name", ["angles_deg", "targets"])
def test_nan_is_refused_by_subject(name: str) -> None:
    cycles = made_cycles()
    values = getattr(cycles, name).copy()
    values[5, 3, 1] = np.nan

    with pytest.raises(ValueError, match=rf"{name}: 1 of 24 cycles hold NaN.*made/S01"):
        replace(cycles, **{name: values})


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    cycles = made_cycles()

    with pytest.raises(ValueError, match="condition has 3 cycles, and subject has 24"):
        replace(cycles, condition=cycles.condition[:3])
    with pytest.raises(ValueError, match=r"targets have the shape .*expected \(24, 24, 3\)"):
        replace(cycles, targets=cycles.measured()[..., :2])


def test_a_subject_without_cycles_is_named() -> None:
    with pytest.raises(ValueError, match="no cycles of nobody"):
        made_cycles().of(["made/S01", "nobody"])


def test_cycles_without_targets_are_no_lesson() -> None:
    with pytest.raises(ValueError, match="no measured targets"):
        replace(made_cycles(), targets=None).measured()
