"""Figures of speed on a few frames: what is timed, what is summed, and what the table says of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.osim, pytest.mark.data]
engines = pytest.importorskip("benchmarks.engines")

FRAMES = 16


@pytest.fixture(scope="module")
def walk(shared_data: Path) -> "engines.Walk":
    whole = engines.read_walk(shared_data / "opensim_reference" / "walking_3d")
    return replace(whole, markers=whole.markers.cut(slice(40, 40 + FRAMES)))


@pytest.fixture(scope="module")
def result(walk: "engines.Walk") -> dict:
    """Both engines are `exact` here: the tools would take most of a minute."""
    load = engines.load_engine
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "load_engine", lambda _: load("exact"))
        for repeats in ("REPEATS", "READS", "PROFILED"):
            patch.setattr(engines, repeats, 2)
        return engines.speeds_of(walk)


def test_every_solve_is_timed_and_the_total_is_the_sum_of_three(result: dict) -> None:
    exact, tools = result["ms_per_frame"]["exact"], result["ms_per_frame"]["tools"]
    assert list(exact) == ["ik", "id", "so", "paths", "balance", "loads", "total"]
    assert list(tools) == ["ik", "id", "so", "total"]
    assert result["n_frames"] == FRAMES
    for times in (exact, tools):
        assert all(0 < time < 100 for time in times.values())
        assert times["total"] == pytest.approx(sum(times[solve] for solve in engines.SOLVES), abs=3e-4)
    for solve, ratio in result["ratio"].items():
        # Times are told to a tenth of a microsecond.
        assert ratio == pytest.approx(tools[solve] / exact[solve], rel=0.02)


def test_shares_are_of_the_whole(result: dict) -> None:
    shares = result["share_of_exact"]
    assert set(shares) == {*engines.PARTS, engines.REST}
    assert sum(shares.values()) == pytest.approx(1.0, abs=0.01)
    # A part that no function is found for any more would have none.
    assert all(0 < share < 1 for share in shares.values())
    assert 0 < result["share_compiled"] < 1


def test_the_model_s_reading_is_told_beside_the_times(result: dict, walk: "engines.Walk") -> None:
    assert result["model_ms"]["exact"] > result["model_ms"]["tools"] > 1
    assert engines.read_walk(walk.model.parent).weights == walk.weights


def test_the_table_holds_what_was_found() -> None:
    times = {"ik": 0.1, "id": 0.02, "so": 0.13, "paths": 0.05, "balance": 0.01, "loads": 0.03, "total": 0.25}
    tools = {"ik": 20.0, "id": 4.0, "so": 800.0, "total": 824.0}
    lines = engines.render(
        {
            "data": "walking_3d",
            "n_frames": 135,
            "ms_per_frame": {"exact": times, "tools": tools},
            "ratio": {solve: tools[solve] / times[solve] for solve in tools},
            "model_ms": {"exact": 300.0, "tools": 90.0},
            "share_of_exact": {"marker fit": 0.6, engines.REST: 0.4},
            "share_compiled": 0.7,
        }
    ).splitlines()
    assert lines[0] == "walking_3d, 135 frames: ms per frame"
    assert [line.split() for line in lines[2:6]] == [
        ["ik", "0.100", "20.0", "200x"],
        ["id", "0.020", "4.0", "200x"],
        ["so", "0.130", "800.0", "6154x"],
        ["total", "0.250", "824.0", "3296x"],
    ]
    assert [line.split() for line in lines[6:9]] == [["paths", "0.050"], ["balance", "0.010"], ["loads", "0.030"]]
    assert "300 ms once" in lines[10]
    assert lines[-2:] == ["   60 %  marker fit", f"   40 %  {engines.REST}"]


def test_what_comes_afterwards_is_left_out_of_the_total() -> None:
    named = engines._named(np.array([1.0, 2.0, 3.0, 10.0, 20.0, 30.0]))
    assert named["total"] == 6.0
    assert engines._named(np.array([2.0, 2.0, 12.0]), np.array([1.0, 2.0, 3.0, 10.0, 20.0, 30.0])) == {
        "ik": 2.0,
        "id": 1.0,
        "so": 4.0,
        "total": round(16 / 6, 4),
    }
