import numpy as np
import pytest

from pipeline.virtual.instruments.blemishes import load_blemishes
from pipeline.virtual.instruments.placement import moved, start_of
from pipeline.virtual.instruments.plate_blemishes import HALF_OFF_M, electrical, half_off, scuff, without_offset
from pipeline.virtual.laboratory import boxes_m
from tests.pipeline.virtual.performances import PROFILE, walking

NONE = load_blemishes("none")
DEFAULT = load_blemishes("default")


def _rng(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", range(4))
def test_a_stray_walker_has_one_foot_on_the_row_s_edge(seed: int) -> None:
    walk = walking()
    right_m, (mark,) = half_off(walk, "+y", NONE.model_copy(update={"half_off_plate_ratio": 1.0}), _rng(seed))
    assert right_m is not None
    side = "right" if mark.of == "right foot" else "left"
    pressed_m = np.nanmean(moved(walk, 0.0, right_m).load[side].cop_m[:, 2])
    low_m, high_m = boxes_m("+y")[0, 1]
    inside_m = high_m - pressed_m if side == "right" else pressed_m - low_m

    assert 1e3 * inside_m == pytest.approx(mark.value)
    assert abs(inside_m) <= HALF_OFF_M


def test_a_scuff_presses_a_plate_under_the_swinging_toe_for_its_time() -> None:
    walk = walking()
    placed = moved(walk, *start_of(walk, PROFILE, "+y"))
    settings = NONE.model_copy(update={"stumble_ratio": 1.0, "stumble_n": 80.0, "stumble_s": 0.12})

    (load,), marks = scuff(placed, PROFILE, "+y", settings, _rng())

    pressed = load.force_n[:, 1] > 0
    side = "right" if marks[0].of == "right foot" else "left"
    middle_s = next(mark.value for mark in marks if mark.figure == "middle")
    assert load.force_n[:, 1].max() == pytest.approx(80.0, rel=1e-3)
    assert pressed.sum() == pytest.approx(120, abs=2)
    assert np.flatnonzero(pressed).mean() / 1000 == pytest.approx(middle_s, abs=0.002)
    assert not placed.load[side].force_n[pressed].any()
    assert any(
        ((load.cop_m[pressed][:, [0, 2]] > box[:, 0]) & (load.cop_m[pressed][:, [0, 2]] < box[:, 1])).all(axis=1).any()
        for box in boxes_m("+y")
    )


def test_offsets_drifts_and_noise_have_the_stated_sizes_and_are_accounted_for() -> None:
    values, marks = electrical((2000, 40, 6), 1000.0, DEFAULT, _rng())
    by_figure = {
        (mark.blemish, mark.unit): [m.value for m in marks if (m.blemish, m.unit) == (mark.blemish, mark.unit)]
        for mark in marks
    }

    assert np.std(by_figure["plate_offset", "N"]) == pytest.approx(DEFAULT.plate_offset_n, rel=0.2)
    assert np.std(by_figure["plate_offset", "N·m"]) == pytest.approx(DEFAULT.plate_offset_nm, rel=0.2)
    assert np.std(by_figure["plate_drift", "N/s"]) == pytest.approx(DEFAULT.plate_drift_n_per_s, rel=0.2)
    first = next(mark for mark in marks if mark.blemish == "plate_offset" and mark.of == "Fz3").value
    assert values[:200, 2, 2].mean() == pytest.approx(first, abs=0.3)
    assert np.diff(values[:, :, :3], axis=0).std() == pytest.approx(np.sqrt(2) * DEFAULT.plate_noise_n, rel=0.05)


def test_amplifiers_set_to_zero_have_no_offset_but_drift_on() -> None:
    _, marks = electrical((100, 4, 6), 1000.0, without_offset(DEFAULT), _rng())

    assert {mark.blemish for mark in marks} == {"plate_drift"}


def test_without_blemishes_nothing_happens() -> None:
    walk = walking()

    assert half_off(walk, "+y", NONE, _rng()) == (None, ())
    assert scuff(walk, PROFILE, "+y", NONE, _rng()) == ((), ())
    values, marks = electrical((10, 4, 6), 1000.0, NONE, _rng())
    assert not values.any()
    assert marks == ()
