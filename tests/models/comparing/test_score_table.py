"""Every figure of a scorecard has its row."""

import pytest

from models.comparing.evaluate import Evaluation
from models.comparing.score_table import SCHEMA, score_table
from models.scoring.report import make_report
from models.scoring.scorecard import score
from tests.models.samples import made_cycles


def test_each_group_of_each_model_has_a_row() -> None:
    cycles = made_cycles(n_subjects=3, n_points=4, task="both")
    cards = [score(name, cycles, cycles.measured() + error) for name, error in (("lstm", 0.5), ("ridge", 0.25))]
    evaluation = Evaluation(
        release="made: 0123",
        models=("mine",),
        subjects=cycles.subjects,
        reports=(make_report(cards[0], cards[1:]),),
        between=(),
    )

    table = score_table(evaluation)

    assert table.schema == SCHEMA
    rows = [row for row in table.to_pylist() if row["model"] == "lstm" and row["kind"] == "moments"]
    assert [(row["grouping"], row["group"]) for row in rows] == [
        ("all", "all"),
        ("condition", "fast"),
        ("condition", "slow"),
        ("cohort", "made"),
        *(("channel", channel.name) for channel in cycles.target_channels[14:]),
        *(("subject", name) for name in cycles.subjects),
        ("pooled", "pooled"),
    ]
    assert all(row["rmse"] == pytest.approx(0.5, rel=1e-5) for row in rows)
    assert {row["run"] for row in rows} == {"mine"}
    assert (rows[0]["n_subjects"], rows[0]["n_cycles"], rows[0]["unit"]) == (3, 12, "N·m/kg")
    assert rows[0]["rmse_low"] == pytest.approx(0.5, rel=1e-5)
    assert table.num_rows == 2 * (len(rows) + len(rows) + 11)


def test_every_column_says_what_it_means() -> None:
    assert all(field.metadata[b"description"] for field in SCHEMA)
