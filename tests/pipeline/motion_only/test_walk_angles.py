"""Walks are cut into cycles of either leg and put together again."""

import numpy as np
import pytest

from pipeline.ground.cycles import Stride
from pipeline.ground.gait_events import GaitEvent, GaitEvents
from pipeline.motion_only.walk_angles import WalkAngles, complete_strides, over_time
from pipeline.session.recipe import load_recipe
from warehouse.channels import INPUT_COORDINATES, mirrored

TIME_S = np.arange(0, 4, 0.01)
SETTINGS = load_recipe("gait2hip60").cycles


def stride(side: str, start_s: float) -> Stride:
    return Stride(side=side, start_s=start_s, stop_s=start_s + 1.0, toe_off_s=start_s + 0.6)  # type: ignore[arg-type]


def ramps() -> np.ndarray:
    """Each angle a straight line of its own slope: it says which column it is, and when."""
    return TIME_S[:, None] * np.arange(1, 11)


def walk(angles_deg: np.ndarray, *strides: Stride) -> WalkAngles:
    return WalkAngles(source="w", time_s=TIME_S, angles_deg=angles_deg, strides=strides, refused=())


def test_a_left_cycle_is_the_right_s_with_sides_exchanged() -> None:
    right, left = walk(ramps(), stride("right", 0.5), stride("left", 1.005)).cycles_deg(11)

    for index, name in enumerate(INPUT_COORDINATES):
        slope = 1 + index
        mirrored_slope = 1 + INPUT_COORDINATES.index(mirrored(name))
        np.testing.assert_allclose(right[:, index], slope * np.linspace(0.5, 1.5, 11))
        np.testing.assert_allclose(left[:, index], mirrored_slope * np.linspace(1.005, 2.005, 11))


def test_frames_outside_cycles_are_not_known() -> None:
    curves = np.stack([np.linspace(0, 1, 11)[:, None], np.linspace(5, 6, 11)[:, None]])

    found = over_time(TIME_S, [stride("right", 0.5), stride("right", 2.0)], curves)[:, 0]

    assert np.isnan(found[TIME_S < 0.5 - 1e-9]).all()
    assert np.isnan(found[(TIME_S > 1.5 + 1e-9) & (TIME_S < 2.0 - 1e-9)]).all()
    np.testing.assert_allclose(found[75], 0.25)
    np.testing.assert_allclose(found[275], 5.75)


def test_curves_cut_from_a_walk_come_back_on_their_frames() -> None:
    strides = [stride("right", 0.5), stride("right", 1.5)]
    angles = np.repeat(np.sin(2 * np.pi * TIME_S)[:, None], 10, axis=1)

    found = over_time(TIME_S, strides, walk(angles, *strides).cycles_deg(180))

    during = (TIME_S >= 0.5) & (TIME_S <= 2.5)
    np.testing.assert_allclose(found[during], angles[during], atol=2e-3)


def test_a_stride_with_an_unknown_angle_is_refused_by_its_name() -> None:
    angles = ramps()
    angles[120, INPUT_COORDINATES.index("knee_angle_l")] = np.nan
    events = events_at([0.5, 1.5, 2.5])

    strides, refused = complete_strides("walk.csv", TIME_S, angles, events, SETTINGS)

    assert [one.start_s for one in strides] == [1.5]
    assert refused == ("walk.csv: right stride at 0.50 s: NaN in knee_angle_l",)


def test_angles_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(400, 9\), expected \(400, 10\)"):
        walk(ramps()[:, :9])


def events_at(strikes: list[float]) -> GaitEvents:
    found = [GaitEvent(kind="foot_strike", side="right", time_s=at, source="kinematics") for at in strikes]
    found += [GaitEvent(kind="foot_off", side="right", time_s=at + 0.6, source="kinematics") for at in strikes]
    return GaitEvents(
        events=tuple(sorted(found, key=lambda event: event.time_s)),
        kinematic_bias_s={},
        laboratory_difference_s=float("nan"),
        laboratory_worst_s=float("nan"),
    )
