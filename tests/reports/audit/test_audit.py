"""Known faults put into a cohort that has none: each is found, told once, and nobody else is blamed."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.audit import FAULTS, TARGETS, at, scaled, trembling, with_fault
from reports.audit.audit import audit_cycles
from reports.audit.curves import AuditCycles
from reports.audit.verdict import AuditVerdict
from tests.reports.audit.cohort import WHO, found, made_up, of, unknown_in


@pytest.mark.parametrize("name", FAULTS)
def test_a_known_fault_is_found_and_nobody_else_is_blamed(name: str) -> None:
    fault, kind, channel = FAULTS[name]
    expected = (kind, f"{WHO} med", channel)
    cycles = made_up()

    verdicts = found(with_fault(cycles, cycles.subject == WHO, fault))

    assert expected in verdicts
    assert {where.split()[0] for _, where, _ in verdicts} == {WHO}
    if expected[0] in ("sign", "sides", "scale", "offset", "chatter"):
        assert verdicts == [expected]


@pytest.mark.parametrize("n_subjects", [5, 6, 12, 40])
def test_cohorts_without_a_fault_have_no_verdict(n_subjects: int) -> None:
    for seed in range(2):
        clean = audit_cycles(made_up(n_subjects, seed=seed, conditions=("slow", "med", "fast")))
        assert (clean.verdicts, clean.not_judged) == ((), ())
        assert (clean.n_subjects, clean.n_cycles) == (n_subjects, n_subjects * 12)


def test_five_subjects_are_enough_for_gross_faults_and_four_are_too_few() -> None:
    for n_subjects, expected in ((5, [("sign", f"{WHO} med", "moment_hip_flexion")]), (4, [])):
        cycles = made_up(n_subjects=n_subjects)
        spoilt = with_fault(cycles, cycles.subject == WHO, scaled(-1, [at("moment_hip_flexion")]))
        assert found(spoilt) == expected
        assert len(audit_cycles(spoilt).not_judged) == (n_subjects == 4)
    assert audit_cycles(spoilt).not_judged[0].startswith("adults, med: 4 subjects are too few")


def test_subjects_are_compared_within_their_cohort() -> None:
    adults, children = made_up(), made_up(seed=1)
    children = with_fault(children, np.ones(len(children), dtype=bool), scaled(3, TARGETS))
    children = replace(
        children,
        cohort=np.full(len(children), "children"),
        subject=np.char.replace(children.subject, "adults", "children"),
    )
    both = AuditCycles(
        **{name: np.concatenate([getattr(adults, name), getattr(children, name)]) for name in AuditCycles.__slots__}
    )

    assert not [verdict for verdict in audit_cycles(both).verdicts if verdict.kind == "scale"]


def test_targets_that_are_not_known_are_no_fault() -> None:
    cycles = made_up()

    def unknown(curves: np.ndarray) -> np.ndarray:
        curves[:, TARGETS] = np.nan
        return curves

    assert found(with_fault(cycles, cycles.side == "left", unknown)) == found(cycles) == []
    assert found(with_fault(cycles, cycles.subject == WHO, unknown)) == []
    everybody = with_fault(cycles, np.ones(len(cycles), dtype=bool), unknown)
    assert found(everybody) == []


def test_the_order_of_the_cycles_changes_nothing() -> None:
    cycles = made_up(conditions=("slow", "fast"))
    spoilt = with_fault(cycles, cycles.subject == WHO, trembling)
    shuffled = spoilt.take(np.random.default_rng(0).permutation(len(spoilt)))

    def told(verdict: AuditVerdict) -> tuple[object, ...]:
        return (verdict.kind, verdict.where, verdict.channel, round(verdict.score, 4))

    assert [told(v) for v in audit_cycles(shuffled).verdicts] == [told(v) for v in audit_cycles(spoilt).verdicts] != []


def not_known(cycles: AuditCycles, n_who_know: int) -> AuditCycles:
    """The same, where only the first subjects know any target."""
    know = np.isin(cycles.subject, [f"adults/S{who:02d}" for who in range(n_who_know)])

    def unknown(curves: np.ndarray) -> np.ndarray:
        curves[:, TARGETS] = np.nan
        return curves

    return with_fault(cycles, ~know, unknown)


@pytest.mark.parametrize("n_who_know", [2, 3, 4])
def test_a_channel_that_few_know_is_not_judged_and_that_is_said(n_who_know: int) -> None:
    cycles = not_known(made_up(n_subjects=8), n_who_know)

    for spoilt in (cycles, with_fault(cycles, cycles.subject == "adults/S01", scaled(-4, TARGETS))):
        told = audit_cycles(spoilt)
        # Muscles that push are nobody's, compared or not.
        assert {(verdict.kind, verdict.subject) for verdict in told.verdicts} <= {("physiology", "adults/S01")}
        assert bool(told.verdicts) == (spoilt is not cycles)
        (reason,) = told.not_judged
        assert reason.startswith(f"adults, med: {n_who_know} of 8 subjects know force_")


def test_only_those_who_know_a_channel_are_counted() -> None:
    """The limit and the text are those of the others who know it, as if nobody else were there."""
    fault = scaled(-1.5, [at("moment_hip_flexion")])
    cycles = made_up(n_subjects=12)
    few = cycles.take(np.isin(cycles.subject, [f"adults/S{who:02d}" for who in range(6)]))

    of_many = audit_cycles(with_fault(not_known(cycles, 6), cycles.subject == WHO, fault))
    of_few = audit_cycles(with_fault(few, few.subject == WHO, fault))

    assert of_many.verdicts == of_few.verdicts != ()
    assert "5 others" in of_many.verdicts[0].found


def test_where_cycles_can_t_be_judged_it_is_said() -> None:
    cycles = made_up()
    first = of(cycles, side="right", trial="t1")

    once = unknown_in(cycles, ~first, [at("force_recfem")])

    reason = "so that there a cycle can't be told from its subject"
    assert audit_cycles(once).not_judged == (f"adults, med: nobody has two cycles that know force_recfem, {reason}",)
    alone = audit_cycles(cycles.take(first))
    assert alone.not_judged == (f"adults, med: nobody has two cycles that know any channel, {reason}",)


@pytest.mark.parametrize("place", [{"trial": "t1", "side": "left"}, {"side": "left"}])
def test_a_fault_of_a_cycle_or_a_leg_hides_no_fault_of_the_subject(place: dict[str, str]) -> None:
    """An offset is in all of the subject's cycles; one of them, or a leg, has a wrong sign besides."""
    cycles = made_up()
    moment = at("moment_hip_flexion")

    def offset(curves: np.ndarray) -> np.ndarray:
        curves[:, moment] += 3
        return curves

    far = with_fault(cycles, cycles.subject == WHO, offset)
    both = with_fault(
        with_fault(cycles, of(cycles, subject=WHO, **place), scaled(-1, [moment])), cycles.subject == WHO, offset
    )

    subject = ("offset", f"{WHO} med", "moment_hip_flexion")
    assert subject in found(far)
    assert subject in found(both)
    assert sum(kind == "sign" for kind, _, _ in found(both)) == 1
