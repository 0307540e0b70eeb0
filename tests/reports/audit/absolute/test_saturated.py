import numpy as np
import pytest

from reports.audit.absolute.saturated import saturated_muscles
from tests.warehouse.conftest import TrialWriter
from tests.warehouse.one_file import write_row, write_table
from tests.warehouse.samples import MADE, TIME_S, cycles_columns, trial_row
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.release.build import stored_trials


@pytest.fixture
def saturated(warehouse: Warehouse, store_trial: TrialWriter, key: TrialKey) -> Warehouse:
    """The right psoas is at full activation in 40 % of the one right cycle, the left one in a tenth of the left's."""
    store_trial(key)
    cycles = cycles_columns(n_right=1, n_left=1)
    cycles |= {"start_s": 0 * cycles["start_s"], "duration_s": 0 * cycles["duration_s"] + TIME_S[-1]}
    write_table(warehouse, "cycles", key, cycles, **MADE)
    full = {"psoas_r": 0.4 * TIME_S[-1] > TIME_S, "psoas_l": 0.1 * TIME_S[-1] > TIME_S}
    activations = {name: np.where(frames, 1.0, 0.2) for name, frames in full.items()}
    write_table(warehouse, "activations", key, {"time_s": TIME_S, **activations}, **MADE)
    write_row(warehouse, "trials", key, trial_row(saturated_ratio_max=0.01, n_cycles_right=1), **MADE)
    return warehouse


def test_a_muscle_at_full_activation_is_told_with_its_cycle(saturated: Warehouse) -> None:
    verdicts, unknown = saturated_muscles(saturated, stored_trials(saturated), "both")

    assert unknown == []
    (verdict,) = verdicts
    assert (verdict.kind, verdict.channel, verdict.side, verdict.cycle) == ("saturated", "force_iliopsoas", "right", 0)
    assert verdict.score == pytest.approx(0.4)
    assert verdict.found == "psoas is at full activation in 40% of the cycle"
    assert verdict.where == "adults/001/2026-05-12/walk_slow_01 right cycle 0"


def test_where_activations_are_not_known_that_is_said(warehouse: Warehouse, store_trial: TrialWriter) -> None:
    for name in ("t1", "t2"):
        store_trial(TrialKey(cohort="adults", subject="S1", session="day1", trial=name))

    verdicts, unknown = saturated_muscles(warehouse, stored_trials(warehouse), "both")

    assert verdicts == []
    assert unknown == ["saturation: nothing is known of the activations in 2 trials"]


def test_a_trial_whose_row_tells_of_no_saturation_is_not_read(saturated: Warehouse, key: TrialKey) -> None:
    write_row(saturated, "trials", key, trial_row(saturated_ratio_max=0.001, n_cycles_right=1), **MADE)

    assert saturated_muscles(saturated, stored_trials(saturated), "both") == ([], [])
