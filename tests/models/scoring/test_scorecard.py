"""Scorecards against figures worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from models.data.channels import TASK_TARGETS
from models.data.cycles import Cycles
from models.scoring.scorecard import Scorecard, compare_scorecards, score, verdict_in_words
from tests.models.samples import made_cycles


def _cycles() -> Cycles:
    """Three subjects; `a` walks slow twice and fast once, `b` fast, `c` slow; all targets zero, then one at the end."""
    cycles = made_cycles(n_subjects=3, n_points=2).take(np.arange(5))
    targets = np.zeros((5, 2, 3), dtype=np.float32)
    targets[:, 1] = 1
    subject, condition = np.array(list("aaabc")), np.array(["slow", "slow", "fast", "fast", "slow"])
    return replace(cycles, targets=targets, subject=subject, condition=condition)


def _off_by(*errors: float) -> np.ndarray:
    return _cycles().measured() + np.array(errors)[:, None, None]


def test_the_headline_is_the_mean_over_subjects_of_their_rmse() -> None:
    (part,) = score("model", _cycles(), _off_by(1, 2, 3, 4, 5)).kinds
    every, fast, slow = part.conditions

    rmse_a = math.sqrt((1 + 4 + 9) / 3)
    assert (part.kind, part.unit) == ("moments", "N·m/kg")
    assert (every.condition, every.n_subjects, every.n_cycles) == ("all", 3, 5)
    assert every.rmse == pytest.approx((rmse_a + 4 + 5) / 3)
    assert every.rmse_median == pytest.approx(4)
    assert every.mae == pytest.approx((2 + 4 + 5) / 3)
    assert part.pooled.rmse == pytest.approx(math.sqrt((1 + 4 + 9 + 16 + 25) / 5))
    # A subject that never walked so has no part in that condition's mean.
    assert (fast.condition, fast.n_subjects, fast.n_cycles) == ("fast", 2, 2)
    assert fast.rmse == pytest.approx((3 + 4) / 2)
    assert slow.rmse == pytest.approx((math.sqrt((1 + 4) / 2) + 5) / 2)


def test_channels_have_their_own_r2() -> None:
    predicted = _cycles().measured().copy()
    predicted[..., 1] = 0.5

    (part,) = score("model", _cycles(), predicted).kinds

    assert [channel.name for channel in part.channels] == [channel.name for channel in TASK_TARGETS["moments"]]
    assert [channel.r2 for channel in part.channels] == pytest.approx([1, 0, 1])
    assert [channel.nrmse for channel in part.channels] == pytest.approx([0, 0.5, 0])


def test_forces_and_moments_never_share_a_figure() -> None:
    cycles = made_cycles(task="both")
    predicted = cycles.measured().copy()
    predicted[..., :14] += 2

    forces, moments = score("model", cycles, predicted).kinds

    assert (forces.kind, forces.unit, len(forces.channels)) == ("forces", "N/kg", 14)
    assert forces.rmse == pytest.approx(2, rel=1e-5)
    assert (moments.kind, moments.unit, len(moments.channels)) == ("moments", "N·m/kg", 3)
    assert moments.rmse == 0


def test_models_are_compared_subject_by_subject() -> None:
    better, worse = score("A", _cycles(), _off_by(1, 1, 1, 4, 1)), score("B", _cycles(), _off_by(2, 2, 2, 3, 3))

    (found,) = compare_scorecards(better, worse)

    assert (found.first, found.second, found.n_subjects, found.n_better) == ("A", "B", 3, 2)
    assert found.difference == pytest.approx((-1 + 1 - 2) / 3)
    assert found.interval is not None
    assert found.interval.low < found.difference < found.interval.high


def test_models_scored_on_different_subjects_are_not_compared() -> None:
    cycles, predicted = _cycles(), _off_by(1, 1, 1, 1, 1)
    some = cycles.of(["a", "b"])

    with pytest.raises(ValueError, match=r"A was scored on a, b, c and B on a, b"):
        compare_scorecards(score("A", cycles, predicted), score("B", some, predicted[:4]))


def _card(name: str, *errors: float) -> Scorecard:
    return score(name, _cycles(), _off_by(*errors))


def test_losing_to_a_baseline_is_said_first() -> None:
    model, mean = _card("lstm", 2, 2, 2, 2, 2), _card("mean_curve", 1, 1, 1, 1, 1)

    assert (
        verdict_in_words(model, [mean])
        == "moments: lstm 2.000 N·m/kg is NOT YET USEFUL, it loses to mean_curve (1.000)"
    )
    assert verdict_in_words(mean, [model]) == "moments: mean_curve 1.000 N·m/kg beats lstm (2.000)"
    assert verdict_in_words(mean, []) == "moments: mean_curve 1.000 N·m/kg, not compared with any baseline"


def test_a_smaller_error_that_chance_explains_is_no_win() -> None:
    # Better on `a` and `b` by far, worse on `c`: resampled subjects may all be like `c`.
    model, mean, worst = _card("lstm", 1, 1, 1, 1, 2.1), _card("mean_curve", 2, 2, 2, 2, 2), _card("ridge", *[3] * 5)

    assert verdict_in_words(model, [mean, worst]) == (
        "moments: lstm 1.367 N·m/kg is NOT SHOWN TO BE USEFUL, it is no better and no worse than mean_curve (2.000), "
        "it beats ridge (3.000)"
    )
    assert verdict_in_words(mean, [model]).endswith("it is no better and no worse than lstm (1.367)")


def test_two_subjects_tell_nothing_apart() -> None:
    cycles = _cycles().of(["a", "b"])
    first, second = (score(name, cycles, cycles.measured() + error) for name, error in (("lstm", 1), ("ridge", 9)))

    assert "NOT SHOWN TO BE USEFUL, too few subjects tell it from ridge (9.000)" in verdict_in_words(first, [second])


def test_each_cohort_has_its_own_figures() -> None:
    cycles = replace(_cycles(), subject=np.array(["north/a", "north/a", "north/a", "south/b", "south/c"]))

    (part,) = score("model", cycles, cycles.measured() + np.array([1, 2, 3, 4, 6])[:, None, None]).kinds

    assert [(one.cohort, one.n_subjects, one.n_cycles) for one in part.cohorts] == [("north", 1, 3), ("south", 2, 2)]
    assert [one.rmse for one in part.cohorts] == pytest.approx([math.sqrt((1 + 4 + 9) / 3), 5])


def test_a_scorecard_survives_its_file() -> None:
    card = score("model", _cycles(), _off_by(1, 2, 3, 4, 5))

    assert Scorecard.model_validate_json(card.model_dump_json()) == card


def test_nan_is_not_scored() -> None:
    with pytest.raises(ValueError, match="finite"):
        score("model", _cycles(), _off_by(1, 2, 3, 4, float("nan")))
