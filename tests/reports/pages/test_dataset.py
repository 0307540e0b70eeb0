import numpy as np
import pytest

from reports.pages import dataset
from reports.pages.dataset import dataset_page
from reports.pages.titles import FORCE_TITLES, LOAD_TITLES
from tests.warehouse.one_file import write_row, write_table
from tests.warehouse.samples import MADE, N_SAMPLES, cycles_columns, trial_row
from warehouse.channels import LOAD_CHANNELS, MUSCLE_GROUPS
from warehouse.errors import WarehouseError
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse


def a_key(subject: str, trial: str, cohort: str = "adults") -> TrialKey:
    return TrialKey(cohort=cohort, subject=subject, session="v1", trial=trial)


@pytest.fixture
def page(warehouse: Warehouse, store_trial: object) -> str:
    store_trial(a_key("S1", "t1"), cadence_steps_per_min=80.0)
    store_trial(a_key("S2", "t1"), cadence_steps_per_min=90.0)
    store_trial(a_key("S2", "t2"), condition="fast")
    row = trial_row(outcome="rejected", stage="gaps", reason="LASI < RASI", n_cycles_right=0, n_cycles_left=0)
    write_row(warehouse, "trials", a_key("S1", "t3"), row, **MADE)
    return dataset_page(warehouse, "Three walks")


def test_it_begins_with_what_was_accepted_and_rejected(page: str) -> None:
    assert "<h1>Three walks</h1>" in page
    assert "3 trials accepted, 1 rejected" in page
    assert '<td>slow</td><td class="number">2</td>' in page
    assert '<td class="number">85</td>' in page


def test_a_rejection_s_reason_is_shown_as_text(page: str) -> None:
    assert "<td>adults/S1/v1/t3</td><td>gaps</td><td>LASI &lt; RASI</td>" in page


def test_angles_moments_and_forces_are_drawn(page: str) -> None:
    assert page.count("<svg") == 3
    for title in ("hip flexion", "ankle dorsiflexion", "hip internal rotation", "gluteus medius", "piriformis"):
        assert f">{title}</text>" in page
    assert page.index(">slow</text>") < page.index(">fast</text>")


def test_contact_forces_are_drawn_in_body_weights_where_there_are_any(
    warehouse: Warehouse, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Hip contact force" not in page
    twice = dict.fromkeys(LOAD_CHANNELS, np.full(3 * N_SAMPLES, 2 * 9.80665))
    write_table(warehouse, "cycles", a_key("S1", "t1"), cycles_columns() | twice, **MADE)
    drawn = {}
    monkeypatch.setattr(
        dataset, "draw_panels", lambda panels: drawn.update({panel.title: panel for panel in panels}) or "<svg>"
    )

    assert "<h3>Hip contact force</h3>" in dataset_page(warehouse, "Loaded")

    for title in LOAD_TITLES.values():
        assert drawn[title].unit == "% body weight"
        assert drawn[title].bands["slow"].mean == pytest.approx(200.0)
        assert drawn[title].bands["slow"].n_subjects == 1


def test_every_component_of_the_contact_force_has_a_panel() -> None:
    assert set(LOAD_TITLES) == set(LOAD_CHANNELS)


def test_every_muscle_group_has_a_panel() -> None:
    assert {f"force_{group}" for group in MUSCLE_GROUPS} == set(FORCE_TITLES)


def test_virtual_people_are_called_virtual_and_others_are_not(
    warehouse: Warehouse, store_trial: object, page: str
) -> None:
    assert "irtual, not patients" not in page
    store_trial(a_key("V1", "t1", cohort="virtual-healthy"))

    both = dataset_page(warehouse, "More")

    assert "Virtual, not patients: virtual-healthy." in both
    assert "<h2>virtual-healthy (virtual, not patients)</h2>" in both
    assert "<h2>adults</h2>" in both


def test_a_cohort_of_two_recipes_has_no_mean_curve_and_the_page_says_why(
    warehouse: Warehouse, store_trial: object, page: str
) -> None:
    assert "No curves" not in page
    store_trial(a_key("K1", "t1", cohort="children"))
    key = a_key("S2", "t1")
    write_row(warehouse, "trials", key, trial_row(), provenance_key="1" * 32, recipe="mine")
    write_table(warehouse, "cycles", key, cycles_columns(), provenance_key="1" * 32, recipe="mine")

    mixed = dataset_page(warehouse, "Mixed")

    assert "No curves: this cohort was made in 2 ways:" in mixed
    assert "2 trials of adults (adults/S1/v1/t1, …): recipe=gait2hip60" in mixed
    assert "1 trials of adults (adults/S2/v1/t1, …): recipe=mine" in mixed
    assert "gait2hip regenerate" in mixed
    # The children's, which are of one recipe, are drawn.
    assert mixed.count("<svg") == 3
    assert mixed.index("<h2>children</h2>") < mixed.index("<svg")


def test_without_a_warehouse_there_is_no_page(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="there is no warehouse"):
        dataset_page(warehouse, "Nothing")


def test_turns_are_in_no_mean_over_straight_walks(warehouse: Warehouse, store_trial: object, page: str) -> None:
    key = a_key("S1", "t4")
    store_trial(key)
    columns = cycles_columns()
    turned = {**columns, "heading_change_deg": np.full(len(columns["sample"]), 58.0)}
    write_table(warehouse, "cycles", key, {**turned, "hip_flexion_ipsi": columns["hip_flexion_ipsi"] + 50.0}, **MADE)
    with_a_turn = dataset_page(warehouse, "Three walks")
    assert page[page.index("<svg") : page.rindex("</svg>")] in with_a_turn
