"""The table of what moved, on samples whose differences are known."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.corrections import (
    SAME_CYCLE,
    Comparison,
    Samples,
    changed_verdicts,
    cycle_samples,
    leg_samples,
    movements,
    render,
)
from warehouse.identity import TrialKey


def samples(walk, before, after, channel="moment_hip_flexion"):
    return Samples(
        kind="hip moment",
        unit="N·m/kg",
        channel=channel,
        walk=walk,
        before=np.array(before, dtype=float),
        after=np.array(after, dtype=float),
    )


def test_a_channel_moves_by_the_differences_of_all_its_walks():
    (moved,) = movements([samples("a", [3, 3], [3, 4]), samples("b", [4, 4], [1, 4])])
    assert (moved.walks, moved.largest, moved.largest_in) == (2, 3.0, "b")
    assert moved.rms == pytest.approx(np.sqrt((0 + 1 + 9 + 0) / 4))
    assert moved.own_rms == pytest.approx(np.sqrt((9 + 9 + 16 + 16) / 4))


def test_missing_samples_are_left_out_and_a_channel_without_any_is_not_listed():
    nan = np.nan
    found = list(movements([samples("a", [3, nan, 5], [3, 4, nan]), samples("a", [nan], [1], "load_hip")]))
    assert [(moved.channel, moved.own_rms, moved.rms) for moved in found] == [("moment_hip_flexion", 3.0, 0.0)]


def test_cycles_are_paired_by_side_and_number():
    before = cycles([("right", 0), ("right", 1)], 1.0)
    after = cycles([("left", 0), ("right", 1)], 2.0)
    (found,) = cycle_samples("a", before, after)
    np.testing.assert_array_equal(found.before, [11.0, 11.0])
    np.testing.assert_array_equal(found.after, [12.0, 12.0])


def cycles(which, value):
    rows = [(side, cycle, sample, value + 10 * cycle) for side, cycle in which for sample in (0, 1)]
    return pd.DataFrame(rows, columns=[*SAME_CYCLE, "moment_hip_flexion"]).set_index(SAME_CYCLE)


def test_moments_count_where_both_know_the_ground_reaction_of_that_leg():
    time_s = np.arange(4) / 100
    before = pd.DataFrame(
        {"time_s": time_s, "right_known": [True, True, True, False], "left_known": False, "knee_angle_r": 1.0}
    )
    after = before.assign(right_known=[False, True, True, True], knee_angle_r=[2.0, 3.0, 4.0, 5.0])
    right, left = leg_samples("a", before.assign(knee_angle_l=0.0), after.assign(knee_angle_l=0.0))
    np.testing.assert_array_equal(right.after, [3.0, 4.0])
    assert left.channel == "knee_angle"
    assert len(left.after) == 0


def test_verdicts_are_listed_where_they_differ():
    same, other, gone = (TrialKey(cohort="c", subject="s", session="v", trial=name) for name in ("a", "b", "d"))
    before = {same: "accepted", other: "accepted", gone: "accepted"}
    after = {same: "accepted", other: "inverse_kinematics: too far"}
    found = changed_verdicts(before, after)
    assert [(verdict.walk, verdict.after) for verdict in found] == [
        ("c/s/v/b", "inverse_kinematics: too far"),
        ("c/s/v/d", "absent"),
    ]
    page = render(
        Comparison(
            walks=2,
            accepted_by_both=1,
            verdicts=found,
            cycles_of_one_only=(),
            movements=tuple(movements([samples("a", [1], [3])])),
        )
    )
    assert "verdicts that changed: 2" in page
    assert "1.000           2           2  a" in page
