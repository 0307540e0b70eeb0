import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.release.split import ReleaseSplit, hold_out_drawn, hold_out_named, hold_out_none, splitter

SUBJECTS = ("adults/S01", "adults/S02", "children/S01", "children/K02")


def test_subjects_are_held_out_by_code_or_by_cohort_and_code() -> None:
    split = hold_out_named(SUBJECTS, ["K02", "adults/S01"])

    assert split.test == ("adults/S01", "children/K02")
    assert split.train == ("adults/S02", "children/S01")


def test_a_code_of_two_cohorts_must_say_which() -> None:
    with pytest.raises(ValueError, match=r"S01: several cohorts.*adults/S01, children/S01"):
        hold_out_named(SUBJECTS, ["S01"])


def test_an_unknown_subject_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"S09: the release has no such subject.*children/K02"):
        hold_out_named(SUBJECTS, ["S09"])


def test_somebody_must_be_left_to_train_on() -> None:
    with pytest.raises(ValueError, match="all 4 subjects held out: no subject is left"):
        hold_out_named(SUBJECTS, SUBJECTS)
    with pytest.raises(ValueError, match=r"a/1 held out: no subject is left .* `gait2hip release` without --holdout"):
        hold_out_named(["a/1"], ["1"])


def test_a_subject_can_not_be_on_both_sides() -> None:
    with pytest.raises(ValueError, match="in training and in the test"):
        ReleaseSplit(method="names", train=("a/1", "a/2"), test=("a/2",))


def test_the_draw_is_that_of_the_published_scripts() -> None:
    # What ygsiete7/Gait2Hip-60 does with 60 subjects: sort, shuffle by default_rng(42), the first fifth is the test.
    codes = np.array([f"H{number:02d}" for number in range(1, 61)])
    expected = codes.copy()
    np.random.default_rng(42).shuffle(expected)

    split = hold_out_drawn([f"gait2hip60/{code}" for code in reversed(codes)], 0.2, 42)

    assert split.test == tuple(sorted(f"gait2hip60/{code}" for code in expected[:12]))
    assert len(split.train) == 48


@given(
    n_subjects=st.integers(2, 40),
    fraction=st.floats(0.01, 0.6),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_draw_keeps_everybody_and_nobody_twice(n_subjects: int, fraction: float, seed: int) -> None:
    subjects = [f"c/{number:03d}" for number in range(n_subjects)]

    split = hold_out_drawn(subjects, fraction, seed)

    assert sorted((*split.train, *split.test)) == subjects
    assert len(split.test) >= 1
    assert split == hold_out_drawn(subjects[::-1], fraction, seed)


def test_what_is_asked_for_by_halves_is_refused() -> None:
    with pytest.raises(ValueError, match="belong together"):
        splitter([], 0.2, None)
    with pytest.raises(ValueError, match="belong together"):
        splitter([], None, 1)
    with pytest.raises(ValueError, match="one of the two"):
        splitter(["S01"], 0.2, 1)


def test_a_share_must_be_one() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        hold_out_drawn(SUBJECTS, 20, 1)


def test_without_a_wish_nobody_is_held_out() -> None:
    assert splitter([], None, None)(SUBJECTS) == hold_out_none(SUBJECTS)
    assert hold_out_none(SUBJECTS).test == ()
