import pytest

from flows.ingesting.selection import check_patterns, is_selected
from warehouse.identity import TrialKey

KEY = TrialKey(cohort="adults", subject="S01", session="v1", trial="walk_fast_01")


@pytest.mark.parametrize("patterns", [[], ["adults"], ["adults/S01"], ["*/*/*/walk_fast_*"], ["children", "*/S0?"]])
def test_what_matches_any_pattern_is_selected(patterns: list[str]) -> None:
    assert is_selected(KEY, patterns)


@pytest.mark.parametrize("patterns", [["children"], ["adults/S02"], ["S01"], ["*/*/*/walk_slow_*"], ["Adults"]])
def test_what_matches_none_is_not(patterns: list[str]) -> None:
    assert not is_selected(KEY, patterns)


@pytest.mark.parametrize("pattern", ["", "adults/", "a/b/c/d/e", "/S01"])
def test_a_pattern_that_can_match_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="up to four patterns"):
        check_patterns([pattern])
