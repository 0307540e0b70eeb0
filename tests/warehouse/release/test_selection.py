import pytest

from tests.warehouse.conftest import TrialWriter
from tests.warehouse.one_file import write_row
from tests.warehouse.release.conftest import trial
from tests.warehouse.samples import MADE, trial_row
from warehouse.layout import Warehouse
from warehouse.release.build import stored_trials
from warehouse.release.selection import Selection, parse_sides, select, with_cycles


def _chosen(warehouse: Warehouse, **words: tuple[str, ...]) -> list[str]:
    return [str(found.key) for found in select(stored_trials(warehouse), Selection(**words))]


def test_without_a_word_everything_is_chosen(filled: Warehouse) -> None:
    assert len(_chosen(filled)) == 6


def test_words_of_one_kind_add_and_kinds_narrow(filled: Warehouse) -> None:
    assert _chosen(filled, cohorts=("adults",), conditions=("fast", "free")) == ["adults/S01/day1/walk_fast"]
    assert len(_chosen(filled, cohorts=("adults", "children"))) == 6


def test_a_subject_is_named_by_code_or_with_its_cohort(filled: Warehouse) -> None:
    assert len(_chosen(filled, subjects=("S01",))) == 3
    assert _chosen(filled, subjects=("children/S01",)) == ["children/S01/day1/walk"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"cohorts": ("adult",)}, r"--cohort adult: the warehouse has none; it has adults, children"),
        ({"conditions": ("slow", "med")}, r"--condition med: .*it has fast, free, slow"),
        ({"subjects": ("adults/K02",)}, r"--subject adults/K02: .*it has K02, S01"),
        ({"recipes": ("other",)}, r"--recipe other: .*it has gait2hip60"),
    ],
)
def test_a_slip_of_the_pen_is_refused(filled: Warehouse, words: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _chosen(filled, **words)


def test_only_accepted_trials_with_a_cycle_of_the_side_are_released(
    warehouse: Warehouse, store_trial: TrialWriter
) -> None:
    store_trial(trial("adults", "S01", "both"))
    store_trial(trial("adults", "S01", "left"), n_cycles_right=0)
    store_trial(trial("adults", "S01", "none"), n_cycles_right=0, n_cycles_left=0)
    rejected = trial_row(outcome="rejected", stage="quality", reason="too far", n_cycles_right=0, n_cycles_left=0)
    write_row(warehouse, "trials", trial("adults", "S01", "rejected"), rejected, **MADE)
    trials = stored_trials(warehouse)

    assert [found.key.trial for found in with_cycles(trials, "both", turns=False)] == ["both", "left"]
    assert [found.key.trial for found in with_cycles(trials, "right", turns=False)] == ["both"]


def test_turns_are_left_out_unless_asked_for(warehouse: Warehouse, store_trial: TrialWriter) -> None:
    store_trial(trial("adults", "S01", "before"))
    store_trial(trial("adults", "S01", "straight"), heading_change_deg=-19.0)
    store_trial(trial("adults", "S01", "turn"), heading_change_deg=-21.0)
    trials = stored_trials(warehouse)

    assert [found.key.trial for found in with_cycles(trials, "both", turns=False)] == ["before", "straight"]
    assert len(with_cycles(trials, "both", turns=True)) == 3
    assert Selection(turns=True).as_plain() == Selection().as_plain() | {"turns": ["included"]}


def test_sides_are_right_or_both() -> None:
    assert parse_sides("right") == "right"
    with pytest.raises(ValueError, match="left: expected right or both"):
        parse_sides("left")
