"""The table of how much people differ, on cycles whose spread is known."""

import numpy as np

from benchmarks.virtual_spread import ANGLES, PHASES, Cycle, angle_table, moment_table
from tests.parity.published import SCHWARTZ_2008, SPEED


def cycles(offsets):
    names = [name if name.startswith("pelvis") else f"{name}_r" for name in ANGLES]
    return [
        Cycle(
            curves={name: np.sin(PHASES) + offset for name in names}
            | {moment.column: np.full_like(PHASES, moment.sign * (1 + offset)) for moment in SCHWARTZ_2008},
            speed=SPEED[2],
        )
        for offset in offsets
    ]


def test_the_spread_of_people_who_differ_by_an_offset_is_the_offsets():
    table = angle_table({"med": cycles([-3.0, 0.0, 3.0])}, 3)
    assert "| hip_flexion | 3.0 | 6.8 |" in table


def test_moments_stand_beside_children_of_the_same_speed():
    table = moment_table({"med": cycles([-0.5, 0.0, 0.5])})
    assert "| hip abduction moment at 18 % | med | 1.00 (0.50) | 0.49 (0.14) |" in table
