"""A challenger is promoted for what the rule asks of it on unseen subjects, and for nothing less."""

import numpy as np
import pytest

from models.comparing.evaluate import Evaluation
from models.comparing.promotion import Decision, PromotionRule, decide, decision_text, first_champion
from models.scoring.report import make_report
from models.scoring.scorecard import score
from tests.models.samples import made_cycles

CYCLES = made_cycles(n_subjects=12, n_points=16)
MEASURED = CYCLES.measured()
RULE = PromotionRule(margin=0.1, tolerance=0.05)


def wrong_by(size: float | np.ndarray) -> np.ndarray:
    """Predictions whose error is of this size everywhere, (N,) or one for all, a little different by subject."""
    own = 1 + 0.01 * np.unique(CYCLES.subject, return_inverse=True)[1]
    return MEASURED + (np.broadcast_to(size, len(MEASURED)) * own)[:, None, None].astype(np.float32)


def decided(champion: np.ndarray, challenger: np.ndarray, rule: PromotionRule = RULE) -> Decision:
    reports = tuple(
        make_report(score(name, CYCLES, predicted), []) for name, predicted in (("old", champion), ("new", challenger))
    )
    evaluation = Evaluation(release="r-1", models=("old", "new"), subjects=CYCLES.subjects, reports=reports, between=())
    return decide(evaluation, "old", "new", rule)


def test_a_better_challenger_is_promoted() -> None:
    decision = decided(wrong_by(0.2), wrong_by(0.1))
    assert decision.promoted and decision.comparisons[0].difference == pytest.approx(-0.1, rel=0.1)
    text = decision_text(decision)
    assert "new: promoted" in text
    assert "| moments | condition slow | 12 | 0.211 | 0.106 | N·m/kg |" in text


def test_a_worse_one_is_not() -> None:
    decision = decided(wrong_by(0.1), wrong_by(0.2))
    assert not decision.promoted and "not told from zero" in decision.reasons[0]
    assert "old stays champion" in decision_text(decision)


def test_one_that_is_better_by_too_little_is_not() -> None:
    decision = decided(wrong_by(0.100), wrong_by(0.095))
    assert not decision.promoted and "asked for is" in decision.reasons[0]
    assert decided(wrong_by(0.100), wrong_by(0.095), PromotionRule(margin=0.01)).promoted


def test_one_that_is_better_on_few_people_only_is_not() -> None:
    lucky = np.where(np.isin(CYCLES.subject, CYCLES.subjects[:2]), 0.01, 0.105)
    decision = decided(wrong_by(0.1), wrong_by(lucky), PromotionRule(margin=0.0, tolerance=0.9))
    assert decision.comparisons[0].difference < 0
    assert not decision.promoted and "not told from zero" in decision.reasons[0]


def test_one_that_is_worse_on_a_condition_is_not() -> None:
    uneven = np.where(CYCLES.condition == "slow", 0.12, 0.02)
    decision = decided(wrong_by(0.1), wrong_by(uneven))
    assert not decision.promoted and [reason.split(",")[0] for reason in decision.reasons] == [
        "moments: worse on condition slow"
    ]
    assert decided(wrong_by(0.1), wrong_by(uneven), PromotionRule(margin=0.1, tolerance=0.3)).promoted


def test_the_first_is_the_champion() -> None:
    decision = first_champion("new", "r-1", RULE)
    assert decision.promoted and decision.reasons == ("there was no champion",)


def test_a_decision_is_kept_as_it_was_made() -> None:
    decision = decided(wrong_by(0.2), wrong_by(0.1))
    assert Decision.model_validate_json(decision.model_dump_json()) == decision
