from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.one_file import write_row
from tests.warehouse.samples import MADE, trial_row
from warehouse.holdings.told import rejected_once, stored_warnings, told_once
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse


def a_key(trial: str, subject: str = "S1") -> TrialKey:
    return TrialKey(cohort="adults", subject=subject, session="v1", trial=trial)


A, B, C = a_key("a"), a_key("b"), a_key("c")


def test_warnings_that_differ_in_figures_and_names_are_one() -> None:
    (told,) = told_once(
        {
            A: [
                "the zero of hip_flexion_r is known to ± 6.2 degree",
                "the zero of hip_flexion_l is known to ± 6 degree",
            ],
            B: ["the zero of hip_flexion_r is known to ± 10.5 degree"],
        }
    )
    assert told.trials == (A, B)
    assert told.line(2) == (
        "2 of 2 trials, 3 times: the zero of hip_flexion_r, hip_flexion_l is known to ± 6 to 10.5 degree"
    )


def test_one_warning_of_one_trial_stays_as_it_is_and_its_trial_is_named() -> None:
    text = "stride 1 of the right foot (0.43-1.20 s) is left out: reserves at the knee reach 23.2%; 1 other kept"
    (told,) = told_once({A: [text], B: []})
    assert told.line(2) == f"1 of 2 trials: {text} (adults/S1/v1/a)"


def test_strides_are_counted_whichever_side_and_time() -> None:
    (told,) = told_once(
        {
            A: [
                "stride 2 of the right foot (2.75-3.65 s) is left out: its ground reaction is unknown; 2 others kept",
                "stride 1 of the left foot (1.37-2.28 s) is left out: its ground reaction is unknown; 2 others kept",
            ],
            B: ["stride 1 of the left foot (0.10-1.00 s) is left out: its ground reaction is unknown; 4 others kept"],
        }
    )
    assert told.line(4) == (
        "2 of 4 trials, 3 strides: left out: its ground reaction is unknown; 2 to 4 others kept "
        "(adults/S1/v1/a, adults/S1/v1/b)"
    )


def test_a_list_of_the_same_about_several_markers_is_one() -> None:
    (told,) = told_once({A: ["T10 is missing for 0.06 s from 2.3 s; RSHN is missing for 0.20 s from 0.9 s"]})
    assert told.text == "T10, RSHN is missing for 0.06 to 0.20 s from 0.9 to 2.3 s"


def test_different_words_are_different_warnings() -> None:
    told = told_once(
        {A: ["the plates seem 17 ms late", "the plates seem 17 ms early"], B: ["the plates seem 9 ms late"]}
    )
    assert [one.text for one in told] == ["the plates seem 9 to 17 ms late", "the plates seem 17 ms early"]


def test_negative_figures_are_ordered_as_numbers() -> None:
    (told,) = told_once(
        {A: ["events differ by -0.120 s"], B: ["events differ by +0.050 s"], C: ["events differ by 9 s"]}
    )
    assert told.text == "events differ by -0.120 to 9 s"


def test_many_names_are_counted() -> None:
    (told,) = told_once({A: [f"M{number} is missing" for number in range(60)]})
    assert told.text == "M0, M1, M2, M3, M4, M5 and 54 more is missing"


@given(
    st.dictionaries(
        st.sampled_from([A, B, C]),
        st.lists(
            st.text(alphabet="aB_1. ;:,()±%-", max_size=30)
            | st.sampled_from(["stride 1 of the left foot (1.2-2.3 s): x 1", "M1 y"])
        ),
    )
)
def test_no_trial_that_warns_is_forgotten_whatever_the_words(texts: dict[TrialKey, list[str]]) -> None:
    told = told_once(texts)
    assert {trial for one in told for trial in one.trials} == {trial for trial, said in texts.items() if said}
    assert sum(one.n_times for one in told) >= sum(map(len, texts.values()))
    assert all(one.line(3) for one in told)


def test_rejections_of_one_reason_are_one_and_others_keep_their_file() -> None:
    rejected = rejected_once(
        [
            (A, "markers", "a.c3d: lacks the markers RASI"),
            (B, "cycles", "b.c3d: no stride"),
            (C, "markers", "c.c3d: lacks the markers RASI"),
        ]
    )
    assert [(alike.names, alike.stage, alike.reason) for alike in rejected] == [
        ("2 of adults/S1/v1: a, c", "markers", "lacks the markers RASI"),
        ("adults/S1/v1/b", "cycles", "b.c3d: no stride"),
    ]


def test_rejections_of_several_people_are_named_in_full() -> None:
    (alike,) = rejected_once([(A, "markers", "no pelvis"), (a_key("a", "S2"), "markers", "no pelvis")])
    assert alike.names == "adults/S1/v1/a, adults/S2/v1/a"


def test_stored_warnings_are_read_back_and_a_row_that_is_gone_has_none(warehouse: Warehouse) -> None:
    write_row(warehouse, "trials", A, trial_row(warnings=["the plates seem late", "T10 is missing"]), **MADE)
    assert stored_warnings(warehouse, [A, B]) == {A: ("the plates seem late", "T10 is missing"), B: ()}
