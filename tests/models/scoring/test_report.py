"""The report's text: the verdict first, then everything a reader needs to judge it."""

import numpy as np

from models.scoring.report import Report, make_report, report_text, reports_text
from models.scoring.scorecard import Scorecard, compare_scorecards, score
from tests.models.samples import made_cycles

CYCLES = made_cycles(task="both")


def _card(name: str, error: float) -> Scorecard:
    return score(name, CYCLES, CYCLES.measured() + np.float32(error))


def test_the_verdict_comes_first_and_the_model_last() -> None:
    text = report_text(make_report(_card("lstm", 0.5), [_card("mean_curve", 0.25)])).splitlines()

    assert text[0] == (
        "forces: lstm 0.500 N/kg is NOT YET USEFUL, it loses to mean_curve (0.250); "
        "moments: lstm 0.500 N·m/kg is NOT YET USEFUL, it loses to mean_curve (0.250)"
    )
    rows = [line.split()[:2] for line in text if line.startswith(("mean_curve ", "lstm "))]
    of_forces = [[model, condition] for model in ("mean_curve", "lstm") for condition in ("all", "fast", "slow")]
    assert [row for row in rows if row[1] != "less"] == of_forces * 2
    assert "lstm less mean_curve: +0.250 N/kg [0.250, 0.250], better on 0 of 6 subjects" in text


def test_columns_are_as_wide_as_the_longest_name() -> None:
    name = "champion, version 12 of the year"
    text = report_text(make_report(_card(name, 0.5), [_card("mean_curve", 0.25)])).splitlines()

    heads, first, *_ = (line for line in text if line.startswith(("channel ", "force_")))
    assert f"  {name}: R², nRMSE" in heads and len(heads) == len(first)
    heads, *rows = (line for line in text if line.startswith(("model ", "mean_curve  ", f"{name}  ")))
    assert {len(row) for row in rows} == {len(heads)}


def test_a_report_survives_its_file() -> None:
    report = make_report(_card("lstm", 0.5), [_card("mean_curve", 0.25)])

    assert Report.model_validate_json(report.model_dump_json()) == report


def test_several_verdicts_stand_before_the_first_table() -> None:
    cards = _card("lstm", 0.5), _card("mamba", 0.4)
    reports = [make_report(card, [_card("mean_curve", 0.25)]) for card in cards]

    text = reports_text(reports, compare_scorecards(*cards)).splitlines()

    assert [line.split(" is ")[0] for line in text[:2]] == ["forces: lstm 0.500 N/kg", "forces: mamba 0.400 N/kg"]
    assert text[2].startswith("lstm less mamba: +0.100 N/kg")
    assert text.count(reports[0].verdict) == 2
    assert reports_text(reports[:1], ()) == report_text(reports[0])
