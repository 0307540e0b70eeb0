"""Engines: who solves inverse kinematics, inverse dynamics and static optimization. The recipe names one.

Importing this module does not load OpenSim; choosing an engine does.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from pipeline.records import (
    Coordinates,
    CoordinateTask,
    FootWrench,
    GeneralizedForces,
    KinematicsResult,
    Markers,
    MuscleForces,
    Side,
)

# Name in the recipe -> the module whose functions are the engine.
ENGINES = {"exact": "pipeline.osim.exact.engine", "tools": "pipeline.osim.tools.engine"}


class Engine(Protocol):
    """The three solves of a trial. Each works in `directory` and raises TrialRejected for the data's faults."""

    def inverse_kinematics(
        self,
        model_file: Path,
        markers: Markers,
        *,
        marker_weights: Mapping[str, float],
        coordinate_tasks: Sequence[CoordinateTask] = (),
        accuracy: float,
        directory: Path,
    ) -> KinematicsResult:
        """Joint coordinates whose markers lie nearest the measured ones."""
        ...

    def inverse_dynamics(
        self,
        model_file: Path,
        coordinates: Coordinates,
        wrenches: Sequence[FootWrench],
        *,
        foot_bodies: Mapping[Side, str],
        lowpass_hz: float | None,
        directory: Path,
    ) -> GeneralizedForces:
        """Net generalized forces that the motion and the ground ask for."""
        ...

    def static_optimization(
        self,
        model_file: Path,
        coordinates: Coordinates,
        wrenches: Sequence[FootWrench],
        *,
        foot_bodies: Mapping[Side, str],
        lowpass_hz: float | None,
        activation_exponent: float,
        use_muscle_physiology: bool,
        reserve_optimal_nm: float,
        residual_optimal_n: float,
        residual_optimal_nm: float,
        convergence_criterion: float,
        max_iterations: int,
        passive_fibre_force: bool = False,
        directory: Path,
    ) -> MuscleForces:
        """Muscle forces of least effort that make those generalized forces; ValueError for what it can't take."""
        ...


def load_engine(name: str) -> Engine:
    """The engine of this name; ValueError lists the names there are."""
    if name not in ENGINES:
        raise ValueError(f"engine {name!r} is unknown; the recipe may name {', '.join(sorted(ENGINES))}.")
    return cast(Engine, import_module(ENGINES[name]))
