"""A challenger is promoted for what it shows on strangers by the rule, and for nothing less."""

import numpy as np
import pytest

from models.comparing.evaluate import Evaluation
from models.comparing.promotion import Decision, Rule, decide, first, render
from models.scoring.report import make_report
from models.scoring.scorecard import score
from tests.models.samples import made_cycles

CYCLES = made_cycles(n_subjects=12, n_points=16)
MEASURED = CYCLES.measured()
RULE = Rule(margin=0.1, tolerance=0.05)


def wrong_by(size: float | np.ndarray) -> np.ndarray:
    """Predictions whose error is of this size everywhere, (N,) or one for all, a little different by subject."""
    own = 1 + 0.01 * np.unique(CYCLES.subject, return_inverse=True)[1]
    return MEASURED + (np.broadcast_to(size, len(MEASURED)) * own)[:, None, None].astype(np.float32)


def decided(champion: np.ndarray, challenger: np.ndarray, rule: Rule = RULE) -> Decision:
    reports = tuple(
        make_report(score(name, CYCLES, predicted), []) for name, predicted in (("old", champion), ("new", challenger))
    )
    evaluation = Evaluation(release="r-1", models=("old", "new"), subjects=CYCLES.subjects, reports=reports, between=())
    return decide(evaluation, "old", "new", rule)


def test_a_better_challenger_is_promoted() -> None:
    found = decided(wrong_by(0.2), wrong_by(0.1))
    assert found.promoted and found.comparisons[0].difference == pytest.approx(-0.1, rel=0.1)
    assert "new: promoted" in render(found) and "| moments | condition slow | 12 | 0.211 | 0.106 | Nm/kg |" in render(
        found
    ).replace("N·m/kg", "Nm/kg")


def test_a_worse_one_is_not() -> None:
    found = decided(wrong_by(0.1), wrong_by(0.2))
    assert not found.promoted and "not told from zero" in found.reasons[0]
    assert "old stays champion" in render(found)


def test_one_that_is_better_by_too_little_is_not() -> None:
    found = decided(wrong_by(0.100), wrong_by(0.095))
    assert not found.promoted and "asked for is" in found.reasons[0]
    assert decided(wrong_by(0.100), wrong_by(0.095), Rule(margin=0.01)).promoted


def test_one_that_is_better_on_few_people_only_is_not() -> None:
    lucky = np.where(np.isin(CYCLES.subject, CYCLES.subjects[:2]), 0.01, 0.105)
    found = decided(wrong_by(0.1), wrong_by(lucky), Rule(margin=0.0, tolerance=0.9))
    assert found.comparisons[0].difference < 0
    assert not found.promoted and "not told from zero" in found.reasons[0]


def test_one_that_is_worse_on_a_condition_is_not() -> None:
    uneven = np.where(CYCLES.condition == "slow", 0.12, 0.02)
    found = decided(wrong_by(0.1), wrong_by(uneven))
    assert not found.promoted and [reason.split(",")[0] for reason in found.reasons] == [
        "moments: worse on condition slow"
    ]
    assert decided(wrong_by(0.1), wrong_by(uneven), Rule(margin=0.1, tolerance=0.3)).promoted


def test_the_first_is_the_champion() -> None:
    found = first("new", "r-1", RULE)
    assert found.promoted and found.reasons == ("there was no champion",)


def test_a_decision_is_kept_as_it_was_made() -> None:
    found = decided(wrong_by(0.2), wrong_by(0.1))
    assert Decision.model_validate_json(found.model_dump_json()) == found
