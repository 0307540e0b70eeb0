"""A walk to and fro, and what solving it takes, on a few frames."""

from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.osim, pytest.mark.data]
many_frames = pytest.importorskip("benchmarks.many_frames")

FRAMES = 30


@pytest.fixture(scope="module")
def walk(shared_data: Path) -> "many_frames.Walk":
    return many_frames.read_walk(shared_data / "opensim_reference" / "walking_3d")


@pytest.fixture(scope="module")
def once(walk: "many_frames.Walk") -> "many_frames.Solved":
    return many_frames.solved(walk)


def test_to_and_fro_turns_without_a_jump_or_a_jerk() -> None:
    line = np.linspace(0.0, 1.0, 51)[:, None]
    found = many_frames.to_and_fro(line, 1000)[:, 0]
    assert found.shape == (1000,)
    assert (found[0], found[50], found[100]) == pytest.approx((0.0, 1.0, 0.0), abs=1e-12)
    np.testing.assert_allclose(found, 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1000) / 100), atol=1e-12)


def test_a_long_walk_is_the_walk_again_and_again(walk: "many_frames.Walk", once: "many_frames.Solved") -> None:
    n_frames = len(walk.markers.time_s)
    long = many_frames.LongWalk(walk=walk, once=once, n_frames=3 * n_frames)
    last = n_frames - 1
    for record, of, field in (
        (long.markers, walk.markers, "positions_m"),
        (long.motion, once.motion, "values"),
        (long.moments, once.moments, "values"),
        (long.forces, once.forces, "force_n"),
        (long.laid, once.laid, "wrenches"),
    ):
        longer, short = getattr(record, field), getattr(of, field)
        assert len(longer) == len(record.time_s) == 3 * n_frames
        for frame, same in ((0, 0), (last, -1), (2 * last, 0)):
            np.testing.assert_allclose(longer[frame], short[same], atol=1e-6)
    assert [wrench.side for wrench in long.wrenches] == ["right", "left"]
    assert all(wrench.force_n.shape == (3 * n_frames, 3) for wrench in long.wrenches)


@pytest.mark.parametrize(
    ("solve", "floats_a_frame"),
    [
        # The time; 33 coordinates, of which both patellae's are coupled; 80 muscles; 22 bodies and the ground.
        ("ik", 1 + 33),
        ("id", 1 + 33),
        ("paths", 1 + 2 * 80 + 6 * 23 + 33),
        ("balance", 1 + 31),
        ("loads", 1 + 2 * 6 * 3),
    ],
)
def test_a_solve_s_time_and_its_results_size_are_told(
    walk: "many_frames.Walk", once: "many_frames.Solved", solve: str, floats_a_frame: int
) -> None:
    found = many_frames.measure(walk, once, solve, FRAMES)
    assert (found.solve, found.n_frames) == (solve, FRAMES)
    assert 0 < found.ms_per_frame < 100
    assert found.mb >= 0
    if solve == "ik":
        floats_a_frame += sum(weight > 0 and label in walk.markers.labels for label, weight in walk.weights.items())
    expected = FRAMES * floats_a_frame * 8 / 2**20
    assert found.results_mb == pytest.approx(expected, rel=0.02)


def test_static_optimization_is_measured_too(walk: "many_frames.Walk", once: "many_frames.Solved") -> None:
    found = many_frames.measure(walk, once, "so", FRAMES)
    assert found.results_mb > FRAMES * 2 * 80 * 8 / 2**20
    assert f"{FRAMES}" in many_frames._line(found)
    assert set(many_frames.SIZES) == set(many_frames.SOLVES) == {"ik", "id", "so", "paths", "balance", "loads"}
