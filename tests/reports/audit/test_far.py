from dataclasses import replace

import numpy as np
import pytest

from benchmarks.audit import TARGETS, at, raised, scaled, with_fault
from reports.audit.audit import audit_cycles
from tests.reports.audit.cohort import WHO, found, made_up, of, unknown_in


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


def test_a_cycle_is_judged_in_the_channels_that_are_known() -> None:
    cycles = made_up()
    spoilt = with_fault(cycles, of(cycles, subject=WHO, side="right", trial="t2"), scaled(4, [at("force_recfem")]))
    forces_only = unknown_in(spoilt, np.ones(len(cycles), dtype=bool), [at("moment_hip_flexion"), at("force_glmed")])

    assert found(forces_only) == found(spoilt) == [("cycle", f"{WHO}/day1/t2 right cycle 0", "force_recfem")]
    assert audit_cycles(forces_only).not_judged == ()


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
