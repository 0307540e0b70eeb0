from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.records import GeneralizedForces, MuscleForces

pytestmark = pytest.mark.osim
balance = pytest.importorskip("pipeline.osim.balance")

ANGLES_RAD = np.array([-0.5, 0.0, 0.3, 0.9])


@pytest.fixture
def tensions() -> MuscleForces:
    force = np.array([[100.0, 0.0], [0.0, 50.0], [20.0, 30.0], [200.0, 10.0]])
    return MuscleForces(
        time_s=np.arange(4) / 100,
        muscle_names=("front", "back"),
        activation=force / 1000,
        force_n=force,
        actuator_coordinates=("swing",),
        actuator_force=np.array([[1.0], [2.0], [3.0], [4.0]]),
        converged=np.ones(4, dtype=bool),
        short_of=np.full(4, ""),
    )


def asked(values: np.ndarray) -> GeneralizedForces:
    return GeneralizedForces(
        time_s=np.arange(4) / 100,
        names=("swing", "pointer_angle"),
        rotational=np.array([True, True]),
        values=values,
    )


def pulled(kit: SimpleNamespace, force_n: np.ndarray) -> np.ndarray:
    """The muscles' moment about the pin, from geometry alone."""
    x, y, _ = kit.insertion_m
    total = np.zeros(len(ANGLES_RAD))
    for frame, angle in enumerate(ANGLES_RAD):
        at = np.array([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), 0])
        for column, origin in enumerate(kit.muscles.values()):
            pull = (np.array(origin) - at) / np.linalg.norm(np.array(origin) - at)
            total[frame] += force_n[frame, column] * np.cross(at, pull)[2]
    return total


def test_tension_times_geometry(pendulum: Path, pendulum_kit: SimpleNamespace, tensions: MuscleForces) -> None:
    found = balance.muscle_balance(pendulum, pendulum_kit.swing(ANGLES_RAD), asked(np.zeros((4, 2))), tensions)
    assert found.names == ("swing",), "a coupled coordinate is folded, not reported"
    np.testing.assert_allclose(
        found.column("swing"), pulled(pendulum_kit, tensions.force_n) + np.arange(1, 5), rtol=1e-9
    )


def test_a_coupled_coordinates_share_goes_to_its_driver(
    pendulum: Path, pendulum_kit: SimpleNamespace, tensions: MuscleForces
) -> None:
    values = np.column_stack([[5.0, 6.0, 7.0, 8.0], [10.0, -10.0, 20.0, 0.0]])
    still = replace(tensions, force_n=np.zeros((4, 2)), actuator_force=np.zeros((4, 1)))
    found = balance.muscle_balance(pendulum, pendulum_kit.swing(ANGLES_RAD), asked(values), still)
    np.testing.assert_allclose(found.column("swing"), -(values[:, 0] + pendulum_kit.slope * values[:, 1]))


def test_records_of_different_lengths_are_refused(
    pendulum: Path, pendulum_kit: SimpleNamespace, tensions: MuscleForces
) -> None:
    with pytest.raises(ValueError, match="GeneralizedForces has 4 frames, not 3"):
        balance.muscle_balance(pendulum, pendulum_kit.swing(ANGLES_RAD[:3]), asked(np.zeros((4, 2))), tensions)
