import sys

import pytest

from flows.ingesting.report import IngestReport, Refusal, headline, print_refusals, print_report, progress_bar
from warehouse.identity import TrialKey
from warehouse.outcome import Outcome, Rejection

REASON = "walk_[2].c3d: the marker RIAS is missing in 120 frames, expected at most 20. Record it again."


def _key(trial: str) -> TrialKey:
    return TrialKey(cohort="adults", subject="S01", session="v1", trial=trial)


REPORT = IngestReport(
    outcomes=(
        Outcome(key=_key("walk_1"), n_cycles=3),
        Outcome(key=_key("walk_2"), rejection=Rejection(stage="inverse_kinematics", reason=REASON)),
        Outcome(key=_key("walk_3"), n_cycles=2, fresh=True),
    ),
    refused=(Refusal(session="S02", reason="S02/session.toml: subject.mass_kg is missing"),),
)


def test_the_headline_begins_with_the_outcomes() -> None:
    assert headline(REPORT) == (
        "2 accepted, 1 rejected, 1 session not run: 1 inverse kinematics; 5 gait cycles; 1 of 3 were up to date"
    )


def test_trials_of_kinematics_only_are_counted_apart_as_status_does() -> None:
    video = Outcome(key=_key("video"), n_cycles=4, kinematics_only=True)

    report = REPORT + IngestReport(outcomes=(video,), refused=())

    assert headline(report).startswith("2 accepted, 1 of kinematics only, 1 rejected")
    assert "; 5 gait cycles; " in headline(report)
    assert _key("video") in report.computed
    assert IngestReport(outcomes=(video,), refused=()).exit_code == 0


def test_the_report_names_every_rejected_trial_with_stage_and_whole_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_report(REPORT, {})

    output = capsys.readouterr()
    assert output.out.startswith("2 accepted, 1 rejected")
    assert f"adults/S01/v1/walk_2: inverse_kinematics: {REASON}\n" in output.out
    assert "walk_1" not in output.out
    assert "mass_kg is missing" in output.err


def test_on_a_terminal_the_rejected_trials_are_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "300")

    print_report(REPORT, {})

    output = capsys.readouterr().out
    assert "stage" in output.splitlines()[2]
    assert REASON in output


def test_one_reason_of_many_trials_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    labels = ", ".join(f"M{number}" for number in range(60))
    outcomes = tuple(
        Outcome(
            key=_key(f"walk_{number}"),
            rejection=Rejection(stage="markers", reason=f"walk_{number}.c3d: lacks RASI (found {labels})"),
        )
        for number in range(9)
    )
    print_report(IngestReport(outcomes=outcomes, refused=()), {})

    output = capsys.readouterr().out
    assert output.count("M59") == 1
    names = "walk_0, walk_1, walk_2, walk_3, walk_4, walk_5 and 3 more"
    assert f"9 of adults/S01/v1: {names}: markers: lacks RASI (found {labels})\n" in output


def test_what_accepted_trials_warn_of_follows_what_was_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(REPORT, {_key("walk_1"): ["the zero of hip_flexion_r is known to ± 6.2 degree"], _key("walk_3"): []})

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("adults/S01/v1/walk_2: inverse_kinematics")
    assert lines[2:] == [
        "warnings of 1 of 2 trials that gave a result, worst first:",
        "  body and angles",
        "    1 of 2 trials: the zero of hip_flexion_r is known to ± 6.2 degree (adults/S01/v1/walk_1)",
    ]


def test_a_refusal_that_sessions_share_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = "recipe 'nope' is neither a file nor one of the packaged recipes"
    refused = (
        *(Refusal(session=f"S{number}", reason=wrong) for number in range(4)),
        Refusal(session="S9", reason="no"),
    )
    print_refusals("can't be checked", refused)

    assert capsys.readouterr().err == (
        f"gait2hip: can't be checked: {wrong} (4 sessions)\ngait2hip: can't be checked: no\n"
    )


def test_only_what_this_run_made_is_news() -> None:
    assert REPORT.computed == (_key("walk_1"),)


def test_the_bar_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as watch:
        listener = watch(2)
        listener(REPORT.outcomes[0])
        listener(None)

    assert capsys.readouterr() == ("", "")


def test_two_reports_are_one_in_the_order_of_keys() -> None:
    first = IngestReport(outcomes=REPORT.outcomes[1:], refused=())
    second = IngestReport(outcomes=REPORT.outcomes[:1], refused=REPORT.refused)

    assert first + second == REPORT


@pytest.mark.parametrize(
    ("stages", "refused", "exit_code"),
    [
        ([None, "quality"], False, 0),
        (["quality"], False, 3),
        ([], False, 3),
        ([None], True, 2),
        ([None, "storing"], False, 2),
    ],
)
def test_the_exit_code_says_how_it_ended(stages: list[str | None], refused: bool, exit_code: int) -> None:
    outcomes = tuple(
        Outcome(key=_key(f"t{number}"), rejection=stage and Rejection(stage=stage, reason="too noisy, or no room"))
        for number, stage in enumerate(stages)
    )
    refusals = (Refusal(session="s", reason="no mass"),) if refused else ()

    assert IngestReport(outcomes=outcomes, refused=refusals).exit_code == exit_code
