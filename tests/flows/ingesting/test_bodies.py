from collections.abc import Callable

import numpy as np
import pytest

from flows.ingesting.bodies import MOST_TOLD, body_lines, sizing_lines
from pipeline.storing.stages import STAGES
from tests.warehouse.conftest import store_whole_trial
from tests.warehouse.one_file import write_table
from tests.warehouse.samples import MADE, SIZING
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome

LEFT_OUT = "walk_02.c3d was left out of its sizing: markers: walk_02.c3d: no frame shows every segment"


@pytest.fixture
def store(tmp_path) -> Callable[[str], Outcome]:
    def store_subject(subject: str) -> Outcome:
        key = TrialKey(cohort="adults", subject=subject, session="v1", trial="walk")
        store_whole_trial(Warehouse(str(tmp_path)), key)
        return Outcome(key=key, fresh=False, n_cycles=1)

    return store_subject


def test_a_body_is_told_with_the_walks_that_were_left_out_of_it(store, tmp_path):
    figures, walk = body_lines(Warehouse(str(tmp_path)), [store("S1")])
    assert figures == (
        "adults/S1/v1: pelvis from the line of spines 1.5 of 5 degree (standing), hip flexion's zero ± 4.4°"
    )
    assert walk == f"  adults/S1/v1: {LEFT_OUT}"


def test_many_bodies_are_counted(store, tmp_path):
    outcomes = [store(f"S{n}") for n in range(MOST_TOLD + 1)]
    (line,) = body_lines(Warehouse(str(tmp_path)), outcomes)
    assert line.startswith("13 bodies sized")
    assert line.endswith("; 13 walks were left out of their sizing: table `sizing` says why")


def test_status_names_what_another_walk_would_make_stale(store, tmp_path):
    warehouse, key = Warehouse(str(tmp_path)), store("S1").key
    told, walk = sizing_lines(warehouse, [key.session_key])
    always, alone = (part.split("]")[0].split(", ") for part in told.split("[")[1:])
    assert {*always, *alone} == set(STAGES)
    assert alone == ["ground_reactions"]
    assert walk == f"  adults/S1/v1: {LEFT_OUT}"

    write_table(warehouse, "sizing", key, SIZING | {"used": np.ones(3, dtype=bool), "reason": [""] * 3}, **MADE)
    assert sizing_lines(warehouse, [key.session_key]) == [told]


def test_a_session_whose_body_is_not_stored_has_no_line(tmp_path):
    key = TrialKey(cohort="adults", subject="S1", session="v1", trial="walk")
    warehouse = Warehouse(str(tmp_path))
    assert len(sizing_lines(warehouse, [key.session_key])) == 1
    assert body_lines(warehouse, [Outcome(key=key, fresh=False, n_cycles=1)]) == []
    assert body_lines(warehouse, []) == []
