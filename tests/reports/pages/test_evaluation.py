from reports.pages.evaluation import evaluation_page
from reports.pages.models import ModelSection, PageTable, ScoreRow

SECTION = ModelSection(
    title="Predicted hip moments: lstm",
    verdict="lstm <beats> ridge",
    unit="N·m/kg",
    rows=[ScoreRow(model="lstm", condition="all", n_subjects=3, rmse="0.100", interval="0.090 to 0.110", r2="0.900")],
    figure="<svg></svg>",
    tables=[PageTable(title="By subject", header=["subject", "lstm"], rows=[["adults/S1", "0.123"]])],
)
DIFFERENCES = PageTable(
    title="Who wins", header=["targets", "first", "second", "difference"], rows=[["f", "a", "b", "-1"]]
)
NONE = PageTable(title="Who wins", header=[], rows=[])


def test_it_says_who_was_tested_and_who_wins_before_any_model() -> None:
    page = evaluation_page("adults: 0123", ["adults/S1", "adults/S2"], DIFFERENCES, [SECTION])

    assert page.index("adults/S1, adults/S2") < page.index("Who wins") < page.index("Predicted hip moments: lstm")
    assert "<td>f</td><td>a</td><td>b</td><td class=number>-1</td>" in page
    assert "lstm &lt;beats&gt; ridge" in page
    assert "<svg></svg>" in page
    assert "<summary>By subject</summary>" in page
    assert "<td>adults/S1</td><td class=number>0.123</td>" in page
    assert "Virtual" not in page


def test_one_model_has_nobody_to_win_against() -> None:
    assert "Who wins" not in evaluation_page("adults: 0123", ["adults/S1"], NONE, [SECTION])


def test_virtual_people_are_called_so() -> None:
    page = evaluation_page("v: 0123", ["virtual-healthy/VH001", "adults/S1"], NONE, [SECTION])

    assert "Virtual, not patients: virtual-healthy." in page
