"""Ground reactions as an older version would have stored them, from recordings that issue no error: told by name."""

from collections.abc import Callable

import numpy as np
import pytest

from reports.audit.absolute.ground import impossible_ground_reactions
from tests.warehouse.conftest import TrialWriter
from tests.warehouse.one_file import write_table
from tests.warehouse.samples import MADE
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.release.build import stored_trials

Columns = dict[str, np.ndarray]
WEIGHT_N = 67.0 * 9.81
TIME_S = np.arange(0, 1.5, 0.01)
POINT_M = 0.3


def walk() -> Columns:
    """A right and then a left stance: two humps of weight, braking then pushing, inward, rolling over 0.2 m."""
    columns: Columns = {"time_s": TIME_S}
    for letter, start_s, inward in (("r", 0.1, -1.0), ("l", 0.65, 1.0)):
        share = (TIME_S - start_s) / 0.65
        on = (share > 0) & (share < 1)
        share = np.where(on, share, 0.0)
        up = on * WEIGHT_N * (np.sin(np.pi * share) + 0.35 * np.sin(3 * np.pi * share))
        roll = POINT_M + 0.2 * share
        columns |= {
            f"force_x_{letter}": -0.2 * on * WEIGHT_N * np.sin(2 * np.pi * share),
            f"force_y_{letter}": up,
            f"force_z_{letter}": inward * 0.05 * up,
            **{f"moment_{axis}_{letter}": 0 * TIME_S for axis in "xy"},
            f"moment_z_{letter}": (roll - POINT_M) * up,
            f"point_x_{letter}": np.full_like(TIME_S, POINT_M),
            **{f"point_{axis}_{letter}": 0 * TIME_S for axis in "yz"},
            f"cop_x_{letter}": np.where(up > 20, roll, np.nan),
            **{f"cop_{axis}_{letter}": np.where(up > 20, 0.0, np.nan) for axis in "yz"},
            f"free_moment_{letter}": 0 * TIME_S,
            f"known_{letter}": np.ones(len(TIME_S), dtype=bool),
            f"reason_{letter}": np.full(len(TIME_S), ""),
        }
    return columns


def moments_a_thousandth(columns: Columns) -> Columns:
    for letter in "rl":
        columns[f"moment_z_{letter}"] = columns[f"moment_z_{letter}"] / 1000
        columns[f"cop_x_{letter}"] = POINT_M + (columns[f"cop_x_{letter}"] - POINT_M) / 1000
    return columns


def times(name: str, factor: float) -> Callable[[Columns], Columns]:
    def change(columns: Columns) -> Columns:
        return columns | {f"{name}_{letter}": factor * columns[f"{name}_{letter}"] for letter in "rl"}

    return change


@pytest.fixture
def audited(
    warehouse: Warehouse, store_trial: TrialWriter, key: TrialKey
) -> Callable[[Callable[[Columns], Columns]], list[tuple[str | None, str]]]:
    def audit(change: Callable[[Columns], Columns]) -> list[tuple[str | None, str]]:
        store_trial(key)
        write_table(warehouse, "grf", key, change(walk()), **MADE)
        verdicts, unknown = impossible_ground_reactions(warehouse, stored_trials(warehouse))
        assert unknown == []
        assert {(verdict.kind, verdict.trial) for verdict in verdicts} <= {("ground", key.trial)}
        return [(verdict.side, verdict.found) for verdict in verdicts]

    return audit


Audited = Callable[[Callable[[Columns], Columns]], list[tuple[str | None, str]]]


def test_a_walk_is_not_accused(audited: Audited) -> None:
    assert audited(lambda columns: columns) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (moments_a_thousandth, "the centre of pressure moves 0.2 mm under a rolling foot: moments in another unit?"),
        (times("force_x", -1), "the foot pushes, then brakes: the fore-aft force is negated"),
        (times("force_y", 2), "the vertical force peaks at 1.9"),
        (times("force_y", 0.5), "the vertical force peaks at 0.4"),
    ],
)
def test_a_plate_s_fault_is_told_for_either_foot(
    change: Callable[[Columns], Columns], said: str, audited: Audited
) -> None:
    told = audited(change)

    assert [side for side, _ in told] == ["right", "left"]
    assert all(found.startswith(said) for _, found in told)


def test_a_negated_sideways_force_is_told_once(audited: Audited) -> None:
    assert audited(times("force_z", -1)) == [
        (None, "the floor pushes both feet outward: the sideways force is negated")
    ]


def test_where_no_stance_is_stored_that_is_said(warehouse: Warehouse, store_trial: TrialWriter, key: TrialKey) -> None:
    store_trial(key)

    verdicts, unknown = impossible_ground_reactions(warehouse, stored_trials(warehouse))

    assert verdicts == []
    assert unknown == ["ground reactions: no whole stance is stored of 1 trials"]
