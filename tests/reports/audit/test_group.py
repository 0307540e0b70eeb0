from benchmarks.audit import at, scaled, trembling, with_fault
from tests.reports.audit.cohort import WHO, found, made_up, of


def test_a_fault_of_one_leg_is_told_of_that_leg() -> None:
    cycles = made_up()
    spoilt = with_fault(cycles, of(cycles, subject=WHO, side="left"), scaled(-1, [at("moment_hip_adduction")]))

    assert found(spoilt) == [("sign", f"{WHO} med left", "moment_hip_adduction")]


def test_a_fault_of_one_cycle_is_told_of_that_cycle() -> None:
    cycles = made_up()
    one = of(cycles, subject=WHO, side="right", trial="t2")

    place = f"{WHO}/day1/t2 right cycle 0"
    assert found(with_fault(cycles, one, trembling)) == [("chatter", place, "force_glmed")]
    assert found(with_fault(cycles, one, scaled(4, [at("force_recfem")]))) == [("cycle", place, "force_recfem")]
