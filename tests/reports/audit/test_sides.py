from benchmarks.audit import TARGETS, at, scaled, with_fault
from tests.reports.audit.cohort import found, made_up, of, unknown_in


def test_two_legs_that_run_against_each_other_are_told_even_of_one_subject() -> None:
    cycles = made_up(n_subjects=1)
    spoilt = with_fault(cycles, cycles.side == "left", scaled(-1, [at("moment_hip_flexion")]))

    assert found(cycles) == []
    assert found(spoilt) == [("left and right", "adults/S00 med", "moment_hip_flexion")]


def test_legs_that_disagree_are_told_although_a_cycle_is_not_known() -> None:
    cycles = made_up(n_subjects=1)
    spoilt = with_fault(cycles, cycles.side == "left", scaled(-1, [at("moment_hip_flexion")]))

    known = unknown_in(spoilt, of(spoilt, side="left", trial="t1"), TARGETS)

    assert found(known) == [("left and right", "adults/S00 med", "moment_hip_flexion")]
