import numpy as np
import pytest

from benchmarks.audit import TARGETS, at, scaled, trembling, with_fault
from reports.audit.audit import audit_cycles
from tests.reports.audit.cohort import WHO, constant, found, made_up, of


def test_coarse_cycles_are_said_not_to_be_judged_for_chatter() -> None:
    cycles = made_up(points=51)
    spoilt = with_fault(cycles, cycles.subject == WHO, trembling)

    assert any("chatter: cycles of 51 samples are too coarse" in text for text in audit_cycles(spoilt).not_judged)
    assert "chatter" not in {kind for kind, _, _ in found(spoilt)}


@pytest.mark.parametrize("channel", ["knee_angle_r", "hip_adduction_l", "moment_hip_rotation", "force_glmed"])
def test_a_curve_that_stands_still_is_told_whatever_it_is(channel: str) -> None:
    cycles = made_up()
    still = with_fault(cycles, cycles.subject == WHO, constant([at(channel)]))
    nearly = with_fault(cycles, cycles.subject == WHO, scaled(0.01, [at(channel)]))

    for spoilt, told in ((still, "one number throughout"), (nearly, "of the range of 11 others' median")):
        (verdict,) = [verdict for verdict in audit_cycles(spoilt).verdicts if verdict.kind == "flat"]
        assert (verdict.where, verdict.channel) == (f"{WHO} med", channel)
        assert told in verdict.found


def test_a_curve_that_stands_still_is_told_without_others() -> None:
    cycles = made_up(n_subjects=2)
    spoilt = with_fault(cycles, of(cycles, subject="adults/S01", side="left"), constant([at("hip_flexion_r")], 12.5))

    assert found(spoilt) == [("flat", "adults/S01 med left", "hip_flexion_r")]
    everybody = with_fault(made_up(), np.ones(48, dtype=bool), constant(TARGETS))
    assert len(audit_cycles(everybody).verdicts) == 12 * len(TARGETS)
