import functools

import numpy as np

from tests.warehouse.conftest import TrialWriter
from tests.warehouse.one_file import write_row
from tests.warehouse.release.conftest import Order, trial
from tests.warehouse.samples import MADE, trial_row
from warehouse.layout import Warehouse
from warehouse.release.build import build_release
from warehouse.release.selection import Selection
from warehouse.release.split import hold_out_drawn, hold_out_named


def _card(warehouse: Warehouse, order: Order, **changes: object) -> str:
    return build_release(warehouse, order(**changes)).read("README.md").decode()


def test_the_card_counts_by_cohort_and_condition(filled: Warehouse, order: Order) -> None:
    card = _card(filled, order)

    assert "| adults | slow | 3 | 3 | 6 | 3 | 0 |" in card
    assert "| adults | fast | 1 | 1 | 2 | 1 | 0 |" in card
    assert "| children | free | 2 | 2 | 4 | 2 | 0 |" in card
    assert "virtual" not in card


def test_rejections_are_told_with_their_reasons(filled: Warehouse, order: Order) -> None:
    for name in ("bad1", "bad2"):
        row = trial_row(outcome="rejected", stage="quality", reason="residual | 0.4", n_cycles_right=0, n_cycles_left=0)
        write_row(filled, "trials", trial("adults", "S01", name), row, **MADE)

    card = _card(filled, order)

    assert "| 2 | quality | residual \\| 0.4 |" in card
    assert "| adults | slow | 3 | 3 | 6 | 3 | 2 |" in card


def test_virtual_people_are_never_taken_for_patients(
    warehouse: Warehouse, store_trial: TrialWriter, order: Order
) -> None:
    store_trial(trial("virtual-adults", "V01"))

    assert "**Of the cohorts virtual-adults: virtual, not patients.**" in _card(warehouse, order)


def test_quality_is_told_as_a_distribution(warehouse: Warehouse, store_trial: TrialWriter, order: Order) -> None:
    for number, rms_m in enumerate(np.linspace(0.010, 0.020, 3)):
        store_trial(trial("adults", "S01", f"walk{number}"), marker_rms_max_m=float(rms_m))

    card = _card(warehouse, order)

    assert "| `marker_rms_max_m` | m | 0.01 | 0.015 | 0.0195 | 0.02 | Largest root mean square marker error" in card
    assert "`residual_force_ratio`" not in card


def test_licence_split_and_recipe_are_stated(filled: Warehouse, order: Order) -> None:
    card = _card(
        filled, order, licence="CC-BY-4.0", split=functools.partial(hold_out_named, named=("children/S01", "S02"))
    )

    assert "Licence: CC-BY-4.0." in card
    assert "Held out by name. 3 subjects to train on, 2 to test on." in card
    assert "Test: adults/S02, children/S01." in card
    assert "| recipe | gait2hip60 |" in card
    assert "Licence: not stated" in _card(filled, order)


def test_a_draw_is_told_with_its_seed(filled: Warehouse, order: Order) -> None:
    card = _card(filled, order, split=functools.partial(hold_out_drawn, fraction=0.2, seed=7))

    assert "Held out by a draw of 0.2 of the subjects, seed 7." in card


def test_what_turns_is_counted_whether_left_out_or_not(
    filled: Warehouse, store_trial: TrialWriter, order: Order
) -> None:
    straight = _card(filled, order)
    store_trial(trial("adults", "S01", "turn1"), heading_change_deg=-35.0)
    store_trial(trial("adults", "S02", "turn2"), heading_change_deg=21.0)
    store_trial(trial("adults", "S02", "nearly"), heading_change_deg=19.0)

    card, with_turns = _card(filled, order), _card(filled, order, selection=Selection(turns=True))

    assert "turns by more than" not in straight
    assert "Left out: 2 trials with a stride that turns by more than 20°, 4 right and 2 left cycles (adults, " in card
    assert "Not left out: 2 trials with a stride that turns by more than 20° (adults, " in with_turns
    assert "\nLeft out:" not in with_turns


def test_trials_of_kinematics_only_are_said_not_to_be_in_it(filled: Warehouse, order: Order) -> None:
    row = trial_row(outcome="kinematics", residual_force_ratio=None)
    write_row(filled, "trials", trial("adults", "S01", "video"), row, **MADE)

    assert "Not part of this release: 1 trial of kinematics only, without targets." in _card(filled, order)
