"""What only OpenSim's own tools do; what every engine must do is in test_engines.py."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.records import Coordinates
from tests.pipeline.osim.settings import effort_settings

pytestmark = pytest.mark.osim
tools = pytest.importorskip("pipeline.osim.tools.engine")

FEET = {"right": "bob", "left": "bob"}
EFFORT = {
    "activation_exponent": 2,
    "use_muscle_physiology": True,
    "reserve_optimal_nm": 1.0,
    "residual_optimal_n": 1.0,
    "residual_optimal_nm": 1e-3,
    "convergence_criterion": 1e-8,
    "max_iterations": 200,
}


def solve(model: Path, coordinates: Coordinates, directory: Path, **changes: object) -> tools.MuscleForces:
    settings = effort_settings(**EFFORT | changes)
    return tools.static_optimization(
        model, coordinates, [], foot_bodies=FEET, mechanics="opensim", settings=settings, directory=directory
    )


def test_what_the_tool_says_is_the_reason(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    held = pendulum_kit.swing(np.full(20, 0.4))
    push = pendulum_kit.push(held.time_s, (0, 1, 0), (0, 0, 0))
    with pytest.raises(TrialRejected, match=r"inverse_dynamics: .*Could not find body 'nobody'"):
        tools.inverse_dynamics(
            pendulum, held, [push], foot_bodies={"right": "nobody"}, mechanics="opensim", directory=tmp_path
        )


def test_frames_the_optimizer_gave_up_on_say_so(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    found = solve(pendulum, pendulum_kit.swing(np.full(12, 0.4)), tmp_path, max_iterations=2)
    assert not found.converged.any()


def test_stiff_tendons_change_no_force(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = pendulum_kit.swing(0.3 * np.sin(np.arange(30) / 6))
    stiff = solve(pendulum, moving, tmp_path / "stiff")
    monkeypatch.setattr(tools, "ignore_tendon_compliance", lambda model: None)
    elastic = solve(pendulum, moving, tmp_path / "elastic")
    np.testing.assert_allclose(stiff.force_n, elastic.force_n, atol=1e-6)


def test_nothing_lands_in_the_working_directory(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "here"
    empty.mkdir()
    monkeypatch.chdir(empty)
    held = pendulum_kit.swing(np.full(8, 0.2))
    tools.inverse_dynamics(pendulum, held, [], foot_bodies=FEET, mechanics="opensim", directory=tmp_path / "id")
    with pytest.raises(TrialRejected):
        tools.inverse_dynamics(
            pendulum,
            held,
            [pendulum_kit.push(held.time_s, (0, 1, 0), (0, 0, 0))],
            foot_bodies={"right": "nobody"},
            mechanics="opensim",
            directory=tmp_path / "failed",
        )
    assert Path.cwd() == empty
    assert not list(empty.iterdir())
    assert "InverseDynamicsTool" in (tmp_path / "id" / "opensim.log").read_text()
    assert "nobody" in (tmp_path / "failed" / "opensim.log").read_text()
    assert "nobody" not in (tmp_path / "id" / "opensim.log").read_text()
