import ast
from functools import cache
from pathlib import Path

import pytest

from flows.ingesting import warnings_in_words
from flows.ingesting.warnings_in_words import KINDS, kind_of, warning_lines
from warehouse.identity import TrialKey

PIPELINE = Path(__file__).parents[3] / "pipeline"


def a_key(trial: str) -> TrialKey:
    return TrialKey(cohort="adults", subject="S1", session="v1", trial=trial)


# What the chain said of real walks.
SAID = {
    "the plates seem 17 ± 2 ms late against the cameras, which changes hip moments most": "moments and forces",
    "stride 1 of the right foot (0.05-1.2 s): the frames end 49 ms from it, and accelerations there are extrapolated": (
        "moments and forces"
    ),
    "plate contact at 3.73 s: both feet on plate 4": "moments and forces",
    "arm_rot_l leaps by 16 degrees from one frame to the next at 2.08 s: nobody moves so fast": "moments and forces",
    "stride 1 of the left foot (1.37-2.28 s) is left out: its ground reaction is not known; 2 others kept": "strides",
    "stride 1 of the left foot (0.06-1.04 s) is left out: reserves at the hip reach 17.3%; 1 other kept": "strides",
    "stride 2 of the right foot (1.10-2.21 s): R_FM2 61 mm at 1.32 s, other markers 8 mm, beyond 40 mm in 1 frame: "
    "too few to leave the stride out": "strides",
    "the zero of hip_flexion_l is known to ± 6.3 degree, expected at most 6": "body and angles",
    "the standing knee of knee_angle_l is 18.1 degree, expected at most 15: the knees are bent": "body and angles",
    "2014007_C4_04.c3d: SXS and SJN were exchanged: their distances are 108 mm off; put right": "markers",
    "T10 is missing for 0.06 s from 5.09 s": "markers",
    "ANALOG:OFFSET is missing or malformed: 3 usable numbers for 12 channels; took 0 for the rest.": "recordings",
    "something that nobody has said before": "other",
}


@pytest.mark.parametrize("text", SAID)
def test_what_a_warning_touches(text: str) -> None:
    assert kind_of(text) == SAID[text]


def test_the_worst_come_first_and_the_commonest_of_these() -> None:
    lines = warning_lines(
        {
            a_key("t1"): ["T10 is missing for 0.06 s from 5.09 s", "what is this", "plate contact at 1.0 s: no foot"],
            a_key("t2"): ["T10 is missing for 0.12 s from 1.00 s", "the plates seem 17 ms late"],
            a_key("t3"): ["the plates seem 11 ms late"],
            a_key("t4"): [],
        }
    )
    assert lines == [
        "warnings of 3 of 4 trials that gave a result, worst first:",
        "  moments and forces",
        "    2 of 4 trials: the plates seem 11 to 17 ms late (adults/S1/v1/t2, adults/S1/v1/t3)",
        "    1 of 4 trials: plate contact at 1.0 s: no foot (adults/S1/v1/t1)",
        "  other",
        "    1 of 4 trials: what is this (adults/S1/v1/t1)",
        "  markers",
        "    2 of 4 trials: T10 is missing for 0.06 to 0.12 s from 1.00 to 5.09 s (adults/S1/v1/t1, adults/S1/v1/t2)",
    ]


def test_without_warnings_nothing_is_said() -> None:
    assert warning_lines({a_key("t1"): []}) == []
    assert warning_lines({}) == []


def test_what_is_not_shown_is_counted_and_is_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warnings_in_words, "MOST_SHOWN", 1)
    lines = warning_lines({a_key("t1"): ["T10 is missing for 0.06 s", "the plates seem late", "what"]})
    assert lines[1:] == [
        "  moments and forces",
        "    1 of 1 trial: the plates seem late (adults/S1/v1/t1)",
        "  and 2 more kinds: `gait2hip report` lists every warning by trial",
    ]


@pytest.mark.parametrize("words", [words for kind in KINDS.values() for words in kind])
def test_the_chain_still_says_the_words_that_tell_a_kind(words: str) -> None:
    # Whoever rewords a warning is to look at its kind again.
    assert any(words in text for text in _texts_of_the_pipeline()), words


@cache
def _texts_of_the_pipeline() -> tuple[str, ...]:
    """The text of every literal in the pipeline but docstrings, what is filled in left out."""
    texts = []
    for file in PIPELINE.rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(str(part.value) for part in node.values if isinstance(part, ast.Constant)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                texts.append(node.value)
    return tuple(texts)
