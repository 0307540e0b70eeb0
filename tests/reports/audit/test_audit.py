"""Known faults put into a cohort that has none: each is found, told once, and nobody else is blamed."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.audit import FAULTS, TARGETS, Fault, at, raised, scaled, trembling, with_fault
from reports.audit.audit import audit_cycles
from reports.audit.curves import AuditCycles
from reports.audit.verdict import AuditVerdict
from tests.reports.audit.cohort import made_up

WHO = "adults/S03"


def found(cycles: AuditCycles) -> list[tuple[str, str, str]]:
    return [(verdict.kind, verdict.where, verdict.channel) for verdict in audit_cycles(cycles).verdicts]


def of(cycles: AuditCycles, **words: object) -> np.ndarray:
    return np.logical_and.reduce([getattr(cycles, name) == word for name, word in words.items()])


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


@pytest.mark.parametrize(
    ("channel", "offset", "told"),
    [
        ("knee_angle_l", 20.5, "+20.5 degrees"),
        ("hip_rotation_r", -20.5, "-20.5 degrees"),
        ("moment_hip_rotation", -0.31, "-0.31 N·m/kg"),
        ("knee_angle_l", 19.5, None),
        ("moment_hip_rotation", 0.29, None),
    ],
)
def test_a_level_is_told_by_its_distance_from_the_others(channel: str, offset: float, told: str | None) -> None:
    cycles = made_up(n_subjects=6)
    alike = replace(cycles, curves=np.repeat(cycles.curves[:1], len(cycles), axis=0))

    verdicts = audit_cycles(with_fault(alike, alike.subject == WHO, raised(offset, channel))).verdicts

    offsets = [v for v in verdicts if v.kind == "offset"]
    assert [(v.subject, v.channel, v.found) for v in offsets] == (
        [] if told is None else [(WHO, channel, f"its mean is {told} from that of the median of 5 others")]
    )
    assert all(v.score == pytest.approx(abs(offset)) for v in offsets)


def test_a_mass_ten_times_too_large_is_found_in_the_body_and_in_the_targets() -> None:
    cycles = made_up(conditions=("slow", "fast"))
    spoilt = with_fault(cycles, cycles.subject == WHO, scaled(0.1, TARGETS))
    spoilt = replace(spoilt, mass_kg=np.where(cycles.subject == WHO, 700.0, 70.0))

    assert found(spoilt) == [
        ("body", WHO, "targets"),
        ("scale", f"{WHO} fast", "targets"),
        ("scale", f"{WHO} slow", "targets"),
    ]


def test_a_subject_like_the_published_outlier_is_found() -> None:
    """One of Gait2Hip-60's twelve test subjects alone adds about 0.48 N/kg to the mean error over them."""
    cycles = made_up(n_subjects=12)
    mean = cycles.curves[cycles.subject != WHO].mean(axis=0)
    forces = [index for index in TARGETS if index < at("moment_hip_flexion")]

    def farther(curves: np.ndarray) -> np.ndarray:
        # Twelve times 0.48 N/kg from the others, in the shape that the forces have.
        step_n_kg = 12 * 0.48 / np.sqrt((mean[forces] ** 2).mean())
        curves[:, forces] += step_n_kg * mean[forces]
        return curves

    verdicts = found(with_fault(cycles, cycles.subject == WHO, farther))

    assert ("scale", f"{WHO} med", "targets") in verdicts
    assert {where.split()[0] for _, where, _ in verdicts} == {WHO}


def test_five_subjects_are_enough_for_gross_faults_and_four_are_too_few() -> None:
    for n_subjects, expected in ((5, [("sign", f"{WHO} med", "moment_hip_flexion")]), (4, [])):
        cycles = made_up(n_subjects=n_subjects)
        spoilt = with_fault(cycles, cycles.subject == WHO, scaled(-1, [at("moment_hip_flexion")]))
        assert found(spoilt) == expected
        assert len(audit_cycles(spoilt).not_judged) == (n_subjects == 4)
    assert audit_cycles(spoilt).not_judged[0].startswith("adults, med: 4 subjects are too few")


def test_two_legs_that_run_against_each_other_are_told_even_of_one_subject() -> None:
    cycles = made_up(n_subjects=1)
    spoilt = with_fault(cycles, cycles.side == "left", scaled(-1, [at("moment_hip_flexion")]))

    assert found(cycles) == []
    assert found(spoilt) == [("left and right", "adults/S00 med", "moment_hip_flexion")]


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


def test_coarse_cycles_are_said_not_to_be_judged_for_chatter() -> None:
    cycles = made_up(points=51)
    spoilt = with_fault(cycles, cycles.subject == WHO, trembling)

    assert any("chatter: cycles of 51 samples are too coarse" in text for text in audit_cycles(spoilt).not_judged)
    assert "chatter" not in {kind for kind, _, _ in found(spoilt)}


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
        assert told.verdicts == ()
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


def unknown_in(cycles: AuditCycles, chosen: np.ndarray, channels: list[int]) -> AuditCycles:
    def unknown(curves: np.ndarray) -> np.ndarray:
        curves[:, channels] = np.nan
        return curves

    return with_fault(cycles, chosen, unknown)


def test_legs_that_disagree_are_told_although_a_cycle_is_not_known() -> None:
    cycles = made_up(n_subjects=1)
    spoilt = with_fault(cycles, cycles.side == "left", scaled(-1, [at("moment_hip_flexion")]))

    known = unknown_in(spoilt, of(spoilt, side="left", trial="t1"), TARGETS)

    assert found(known) == [("left and right", "adults/S00 med", "moment_hip_flexion")]


def test_a_cycle_is_judged_in_the_channels_that_are_known() -> None:
    cycles = made_up()
    spoilt = with_fault(cycles, of(cycles, subject=WHO, side="right", trial="t2"), scaled(4, [at("force_recfem")]))
    forces_only = unknown_in(spoilt, np.ones(len(cycles), dtype=bool), [at("moment_hip_flexion"), at("force_glmed")])

    assert found(forces_only) == found(spoilt) == [("cycle", f"{WHO}/day1/t2 right cycle 0", "force_recfem")]
    assert audit_cycles(forces_only).not_judged == ()


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


def constant(channels: list[int], value: float = 0.0) -> Fault:
    def fault(curves: np.ndarray) -> np.ndarray:
        curves[:, channels] = value
        return curves

    return fault


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


@pytest.mark.parametrize("factor", [0.1, 10])
def test_a_session_s_wrong_mass_is_told_of_that_session(factor: float) -> None:
    """The subject's median over both sessions is half right: it hides which is wrong, or that any is."""
    cycles = made_up()
    two = replace(cycles, session=np.where(cycles.trial == "t2", "day2", "day1"))

    day2 = with_fault(two, of(two, subject=WHO, session="day2"), scaled(factor, TARGETS))
    both = with_fault(two, two.subject == WHO, scaled(factor, TARGETS))

    assert [told for told in found(day2) if told[0] == "scale"] == [("scale", f"{WHO}/day2 med", "targets")]
    assert {where.split()[0].split("/day")[0] for _, where, _ in found(day2)} == {WHO}
    assert found(both) == [("scale", f"{WHO} med", "targets")]
