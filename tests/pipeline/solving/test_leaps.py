import numpy as np
import pytest

from pipeline.ground.cycles import Stride
from pipeline.records import Coordinates
from pipeline.session.recipe import load_recipe
from pipeline.solving.leaps import leap_warnings, leap_within, leaps_of

RATE_HZ = 100.0
SETTINGS = load_recipe("gait2hip60").quality


def motion(**columns: np.ndarray) -> Coordinates:
    return Coordinates(
        time_s=1.0 + np.arange(len(next(iter(columns.values())))) / RATE_HZ,
        names=tuple(columns),
        rotational=np.array([not name.endswith("_tx") for name in columns]),
        values=np.column_stack(list(columns.values())),
    )


def told_of(coordinates: Coordinates, *strides: Stride) -> tuple[str, ...]:
    return leap_warnings(leaps_of(coordinates, SETTINGS), strides)


def smooth(n_frames: int = 120) -> np.ndarray:
    """A knee of fast walking: 8 rad/s at its fastest."""
    return 0.6 * np.sin(13 * np.arange(n_frames) / RATE_HZ)


def test_a_leap_is_told_with_its_coordinate_its_size_and_its_time() -> None:
    elbow = smooth()
    elbow[50:] += 1.0
    (told,) = told_of(motion(knee_angle_r=smooth(), elbow_flex_r=elbow))
    assert told.startswith("elbow_flex_r leaps by ")
    assert "at 1.49 s" in told
    size = float(told.split(" leaps by ")[1].split()[0])
    assert size == pytest.approx(np.degrees(1.0 + smooth()[50] - smooth()[49]), abs=0.5)


def test_there_and_back_are_two_leaps_in_one_sentence() -> None:
    elbow = smooth()
    elbow[50:53] -= 1.5
    (told,) = told_of(motion(elbow_flex_r=elbow))
    assert ", and at 1 other time: " in told


def test_a_pelvis_that_leaps_is_told_in_metres() -> None:
    forward = 1.4 * np.arange(60) / RATE_HZ
    forward[30:] += 0.25
    (told,) = told_of(motion(pelvis_tx=forward))
    assert told.startswith("pelvis_tx leaps by 0.26 m from one frame to the next at 1.29 s")


@pytest.mark.parametrize("rate", [1.0, 3.0])
def test_fast_motion_and_rest_are_no_leaps(rate: float) -> None:
    """Fast throughout, still throughout, and a start from rest."""
    start = np.r_[np.zeros(60), np.cumsum(np.linspace(0, 0.2, 60))]
    assert told_of(motion(knee_angle_r=rate * smooth(), lumbar=np.zeros(120), arm_flex_r=start)) == ()


def test_a_stride_is_lost_to_a_leg_that_leaps_in_it_and_to_no_other() -> None:
    knee, elbow = smooth(), smooth()
    knee[70:] += 1.0
    elbow[20:] += 1.0
    coordinates = motion(knee_angle_l=knee, elbow_flex_r=elbow)
    first = Stride(side="right", start_s=1.0, stop_s=1.5, toe_off_s=1.3)
    second = Stride(side="right", start_s=1.5, stop_s=2.0, toe_off_s=1.8)
    leaps = leaps_of(coordinates, SETTINGS)

    assert leap_within(first, leaps) is None
    lost_by = leap_within(second, leaps)
    assert lost_by is not None and (lost_by.name, lost_by.time_s) == ("knee_angle_l", pytest.approx(1.69))
    # What costs a stride isn't told twice, and what costs none is.
    assert [told.split()[0] for told in told_of(coordinates, first, second)] == ["elbow_flex_r"]
    assert [told.split()[0] for told in told_of(coordinates, first)] == ["knee_angle_l", "elbow_flex_r"]


def test_between_two_passes_nothing_leaps() -> None:
    whole = motion(knee_angle_r=smooth(), pelvis_tx=1.4 * np.arange(120) / RATE_HZ)
    frames = np.r_[0:40, 90:120]
    assert leaps_of(whole.cut(frames), SETTINGS) == ()
