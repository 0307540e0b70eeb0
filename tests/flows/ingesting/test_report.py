import pytest

from flows.ingesting.ingest import IngestReport, Refusal
from flows.ingesting.report import headline, print_report, progress_bar
from warehouse.identity import TrialKey
from warehouse.outcome import Outcome

REASON = "walk_[2].c3d: the marker RIAS is missing in 120 frames, expected at most 20. Record it again."


def _key(trial: str) -> TrialKey:
    return TrialKey(cohort="adults", subject="S01", session="v1", trial=trial)


REPORT = IngestReport(
    outcomes=(
        Outcome(key=_key("walk_1"), status="accepted", n_cycles=3),
        Outcome(key=_key("walk_2"), status="rejected", stage="inverse_kinematics", reason=REASON),
        Outcome(key=_key("walk_3"), status="accepted", n_cycles=2, fresh=True),
    ),
    refused=(Refusal(session="S02", reason="S02/session.toml: subject.mass_kg is missing"),),
)


def test_the_headline_begins_with_the_outcomes() -> None:
    assert headline(REPORT) == (
        "2 accepted, 1 rejected, 1 sessions not run: 1 inverse_kinematics; 5 gait cycles; 1 of 3 were up to date"
    )


def test_the_report_names_every_rejected_trial_with_stage_and_whole_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_report(REPORT)

    output = capsys.readouterr()
    assert output.out.startswith("2 accepted, 1 rejected")
    assert f"adults/S01/v1/walk_2: inverse_kinematics: {REASON}\n" in output.out
    assert "walk_1" not in output.out
    assert "mass_kg is missing" in output.err


def test_on_a_terminal_the_rejected_trials_are_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")

    print_report(REPORT)

    output = capsys.readouterr().out
    assert "rejected trial" in output
    assert REASON in output


def test_the_bar_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as watch:
        listener = watch(2)
        listener(REPORT.outcomes[0])
        listener(None)

    assert capsys.readouterr() == ("", "")
