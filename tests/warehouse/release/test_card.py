import functools

import numpy as np

from tests.warehouse.conftest import TrialWriter
from tests.warehouse.one_file import write_row
from tests.warehouse.release.conftest import Order, trial
from tests.warehouse.samples import MADE, trial_row
from warehouse.layout import Warehouse
from warehouse.release.build import build_release
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
