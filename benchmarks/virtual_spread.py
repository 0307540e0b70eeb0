"""How much virtual people differ, beside measured ones: `python -m benchmarks.virtual_spread [SUBJECTS]`.

Prints two Markdown tables. Angles: the standard deviation between subjects, averaged over the gait cycle, against
the six adults that the virtual ones are made from. Moments: mean and standard deviation, against Schwartz et al. 2008.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.session.load_profile import load_profile
from pipeline.virtual.gait.harmonics import basis
from pipeline.virtual.gait.normal_gait import GAIT_HARMONICS, normal_gait
from pipeline.virtual.person.anthropometry import draw_subject
from pipeline.virtual.person.body import make_body
from pipeline.virtual.records import Condition, Performance
from pipeline.virtual.walk import CADENCES, own_gait, walk
from tests.parity.published import SCHWARTZ_2008, SPEED, dimensionless_speed

SUBJECTS = 20
ANGLES = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle", "pelvis_tilt", "pelvis_list")
LEG_PER_HEIGHT = 0.53
PHASES = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Cycle:
    """One right cycle: degrees and N·m/kg by model column, (P,), and its dimensionless speed."""

    curves: dict[str, np.ndarray]
    speed: float


def main() -> None:
    subjects = int(sys.argv[1]) if len(sys.argv) > 1 else SUBJECTS
    cycles: dict[Condition, list[Cycle]] = {condition: [] for condition in CADENCES}
    profile = load_profile("isb_full_body")
    for number in range(1, subjects + 1):
        rng = np.random.default_rng(number)
        subject = draw_subject("healthy", number, rng)
        body = make_body(subject, profile, 0.0, rng)
        style = own_gait(body, rng)
        for condition, found in cycles.items():
            found.append(cycle(walk(body, style, condition, rng), subject.mass_kg, subject.height_m))
    print(angle_table(cycles, subjects))
    print(moment_table(cycles))


def cycle(performance: Performance, mass_kg: float, height_m: float) -> Cycle:
    """The first whole right cycle of a walk."""
    strikes = [contact.strike_s for contact in performance.contacts if contact.side == "right" and contact.strike_s > 0]
    at_s = strikes[0] + PHASES * (strikes[1] - strikes[0])
    time_s = performance.coordinates.time_s
    curves = {
        name: np.degrees(np.interp(at_s, time_s, performance.coordinates.column(name))) for name in map(_column, ANGLES)
    }
    for moment in SCHWARTZ_2008:
        column = f"{moment.column.removeprefix('moment_')}_r"
        curves[moment.column] = np.interp(at_s, time_s, performance.moments.column(column)) / mass_kg
    forward = performance.speeds[:, performance.coordinates.names.index("pelvis_tx")].mean()
    return Cycle(curves=curves, speed=dimensionless_speed(forward, LEG_PER_HEIGHT * height_m))


def angle_table(cycles: dict[Condition, list[Cycle]], subjects: int) -> str:
    lines = [
        f"| SD between subjects [°] | {' | '.join(f'virtual, {c}' for c in cycles)} | six adults, measured |",
        f"|---|{'---|' * (len(cycles) + 1)}",
    ]
    for name in ANGLES:
        virtual = [_mean_sd([one.curves[_column(name)] for one in found]) for found in cycles.values()]
        adults = np.degrees(basis(PHASES, GAIT_HARMONICS) @ normal_gait()[name].adults)
        lines.append(f"| {name} | {' | '.join(f'{x:.1f}' for x in virtual)} | {_mean_sd(adults.T):.1f} |")
    return "\n".join([f"{subjects} virtual subjects; measured: Schreiber and Moissenet (2019).", "", *lines, ""])


def moment_table(cycles: dict[Condition, list[Cycle]]) -> str:
    lines = ["| N·m/kg, mean (SD) | condition | virtual | Schwartz et al. (2008), same speed |", "|---|---|---|---|"]
    for moment in SCHWARTZ_2008:
        for condition, found in cycles.items():
            values = [moment.sign * np.interp(moment.phase, PHASES, one.curves[moment.column]) for one in found]
            speed = np.mean([one.speed for one in found])
            mean, sd = (np.interp(speed, SPEED, given) for given in (moment.mean, moment.spread))
            lines.append(
                f"| {moment.name} | {condition} | {np.mean(values):.2f} ({np.std(values, ddof=1):.2f}) "
                f"| {mean:.2f} ({sd:.2f}) |"
            )
    return "\n".join(lines)


def _column(name: str) -> str:
    return name if name.startswith("pelvis") else f"{name}_r"


def _mean_sd(curves: Sequence[np.ndarray] | np.ndarray) -> float:
    return float(np.std(np.array(curves), axis=0, ddof=1).mean())


if __name__ == "__main__":
    main()
