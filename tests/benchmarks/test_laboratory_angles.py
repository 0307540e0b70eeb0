"""The comparison with laboratories' angles, on differences that are known."""

import numpy as np
import pytest

from benchmarks.laboratory_angles import COMPARED, StrideDifference, difference, person_table, summary_table
from warehouse.channels import LABORATORY_ANGLES


def test_an_offset_is_the_mean_and_what_is_left_the_rest() -> None:
    wave = np.sin(np.linspace(0, 2 * np.pi, 200, endpoint=False))

    found = difference("001", "right", "pig_hip_flexion", 3.0 + 2.0 * wave)

    assert found.mean_deg == pytest.approx(3.0)
    assert found.rms_deg == pytest.approx(2.0 / np.sqrt(2))


def test_a_stride_with_an_unknown_frame_has_no_figure() -> None:
    assert np.isnan(difference("001", "left", "pig_hip_flexion", np.array([1.0, np.nan])).mean_deg)


def test_legs_stand_side_by_side_and_people_are_averaged_with_equal_weight() -> None:
    strides = [
        *(StrideDifference("001", "right", "pig_hip_flexion", mean_deg, 1.0) for mean_deg in (4.0, 6.0)),
        StrideDifference("001", "left", "pig_hip_flexion", 2.0, 3.0),
        StrideDifference("002", "left", "pig_hip_flexion", -8.0, 0.5),
    ]

    assert "| 001 | pig_hip_flexion | 2 | +5.0 | 1.0 | 1 | +2.0 | 3.0 |" in person_table(strides)
    assert "| 002 | pig_hip_flexion | 0 | |  | 1 | -8.0 | 0.5 |" in person_table(strides)
    assert "| pig_hip_flexion | 2 | -2.0 | -8.0 | 1.1 | 1.7 |" in summary_table(strides)


def test_every_compared_angle_is_stored() -> None:
    stems = {name.removesuffix("_r").removesuffix("_l") for name in LABORATORY_ANGLES if name.startswith("pig_")}
    assert set(COMPARED) == stems
