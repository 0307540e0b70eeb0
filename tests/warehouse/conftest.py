from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.warehouse.one_file import write_row, write_scaled_model, write_table
from tests.warehouse.samples import (
    BODY_FIGURES,
    MADE,
    SESSION_ROW,
    SIZING,
    cycles_columns,
    frame_tables,
    motion_tables,
    rejected_tables,
    trial_row,
)
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

TrialWriter = Callable[..., None]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(str(tmp_path / "warehouse"))


@pytest.fixture
def key() -> TrialKey:
    return TrialKey(cohort="adults", subject="001", session="2026-05-12", trial="walk_slow_01")


@pytest.fixture
def store_trial(warehouse: Warehouse) -> TrialWriter:
    """Stores one whole accepted trial, session tables included."""
    return partial(store_whole_trial, warehouse)


def store_whole_trial(warehouse: Warehouse, key: TrialKey, condition: str = "slow", **row: object) -> None:
    write_row(warehouse, "subjects", key, {"sex": None}, **MADE)
    write_row(warehouse, "sessions", key, SESSION_ROW, **MADE)
    bodies = {"body": ["pelvis"], "scale_x": [1.0], "scale_y": [1.1], "scale_z": [0.9], "mass_kg": [10.0]}
    write_table(warehouse, "scaling", key, bodies, **MADE)
    errors = {"marker": ["RASI", "LASI"], "error_m": [0.01, np.nan]}
    write_table(warehouse, "static_markers", key, errors, **MADE)
    write_table(warehouse, "sizing", key, SIZING, **MADE)
    write_table(warehouse, "body_figures", key, BODY_FIGURES, **MADE)
    write_scaled_model(warehouse, key, "<OpenSimDocument/>")
    for table, (columns, units) in frame_tables().items():
        write_table(warehouse, table, key, columns, units=units, **MADE)
    write_table(warehouse, "cycles", key, cycles_columns(condition=condition), **MADE)
    write_row(warehouse, "trials", key, trial_row(condition=condition, **row), **MADE)


def store_rejected_trial(warehouse: Warehouse, key: TrialKey, **row: object) -> None:
    """Stores a rejected trial whose motion was solved, without its session."""
    for table, (columns, units) in rejected_tables().items():
        write_table(warehouse, table, key, columns, units=units, **MADE)
    rejected = {"outcome": "rejected", "stage": "inverse_kinematics", "reason": "marker RASI is 61 mm off"}
    write_row(warehouse, "trials", key, trial_row(**rejected, n_cycles_right=0, n_cycles_left=0, **row), **MADE)


def store_trial_of_kinematics(warehouse: Warehouse, key: TrialKey) -> None:
    """Stores a trial of kinematics only, in a session that is there already."""
    for table, (columns, units) in motion_tables().items():
        write_table(warehouse, table, key, columns, units=units, **MADE)
    write_row(warehouse, "trials", key, trial_row(outcome="kinematics"), **MADE)
