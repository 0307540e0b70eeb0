"""What an engine does: the solves of a trial. `pipeline/osim/engines.py` has the engines there are.

Shapes: T frames, Q coordinates, U muscles, B bodies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pipeline.records import (
    Coordinates,
    CoordinateTask,
    FootWrench,
    GeneralizedForces,
    JointLoads,
    KinematicsResult,
    Markers,
    MuscleForces,
    Side,
)
from pipeline.session.recipe import InverseKinematicsSettings, MechanicsLaw, StaticOptimizationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidMuscles:
    """Muscles along a walk: their paths, length_m and lengthening_m_s (T, U), and what all together do.

    wrenches (T, B, 6): on the model's bodies, a moment about the ground's origin and a force. direct (T, Q): on
    coordinates, by points of a path that slide in their bodies. B are the bodies in the engine's own order.
    """

    time_s: np.ndarray
    muscle_names: tuple[str, ...]
    length_m: np.ndarray
    lengthening_m_s: np.ndarray
    wrenches: np.ndarray
    direct: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class MuscleSource:
    """What of a model's muscles the engine leaves to OpenSim, which it asks frame by frame.

    asked: "paths", and "fibres" where these can't be said either; () where the engine computes all. why: each part that
    the engine can't say, the muscle's name first.
    """

    asked: tuple[str, ...]
    why: tuple[str, ...]

    def mechanics_used(self, mechanics: MechanicsLaw) -> str:
        """What a result is computed by: `mechanics`, and what of the muscles is OpenSim's nevertheless."""
        if not self.asked or mechanics == "opensim":
            return mechanics
        return f"{mechanics}, but muscles' {' and '.join(self.asked)} as OpenSim has them"

    def warnings(self) -> tuple[str, ...]:
        """One sentence if OpenSim is asked."""
        if not self.asked:
            return ()
        parts = " and ".join(self.asked)
        return (
            f"OpenSim is asked for all muscles' {parts}, since engine `exact` can't say them ({'; '.join(self.why)}): "
            f"these {parts} are OpenSim's whatever the recipe's mechanics, and muscle forces take far longer. "
            "docs/engines.md lists what can be said",
        )


class Engine(Protocol):
    """The solves of a trial. Each raises TrialRejected for the data's faults; those with a `directory` work in it."""

    def inverse_kinematics(
        self,
        model_file: Path,
        markers: Markers,
        *,
        marker_weights: Mapping[str, float],
        coordinate_tasks: Sequence[CoordinateTask] = (),
        settings: InverseKinematicsSettings,
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
        mechanics: MechanicsLaw,
        lowpass_hz: float | None = None,
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
        mechanics: MechanicsLaw,
        lowpass_hz: float | None = None,
        settings: StaticOptimizationSettings,
        directory: Path,
    ) -> MuscleForces:
        """Muscle forces of least effort that make those generalized forces; ValueError for what it can't take."""
        ...

    def laid_muscles(
        self, model_file: Path, coordinates: Coordinates, forces: MuscleForces, *, mechanics: MechanicsLaw
    ) -> LaidMuscles:
        """Muscles of these forces along the paths that static optimization took, at `forces.time_s`.

        `coordinates` are those of static optimization, and may cover more frames.
        """
        ...

    def muscle_balance(
        self,
        model_file: Path,
        coordinates: Coordinates,
        moments: GeneralizedForces,
        forces: MuscleForces,
        laid: LaidMuscles,
    ) -> GeneralizedForces:
        """What muscles and actuators give, less what inverse dynamics asks, at the free coordinates."""
        ...

    def joint_loads(
        self,
        model_file: Path,
        coordinates: Coordinates,
        wrenches: Sequence[FootWrench],
        laid: LaidMuscles,
        *,
        foot_bodies: Mapping[Side, str],
        mechanics: MechanicsLaw,
    ) -> JointLoads:
        """Contact forces of the joints that muscles, actuators, gravity, inertia and the ground load.

        They are those of `warehouse.channels.LOADED_JOINTS` that the model has. Coordinates and wrenches are those of
        static optimization, and may cover more frames: `laid.time_s` says which are wanted.
        """
        ...

    def muscle_source(self, model_file: Path) -> MuscleSource:
        """What of the model's muscles the engine computes itself, and what it asks OpenSim for."""
        ...

    def loading_feet(self, model_file: Path, foot_bodies: Mapping[Side, str]) -> Mapping[str, frozenset[Side]]:
        """The feet whose ground reactions each coordinate's moment, and each muscle's force, depends on."""
        ...

    def feet_pressing(self, model_file: Path, foot_bodies: Mapping[Side, str]) -> Mapping[str, frozenset[Side]]:
        """The feet whose ground reactions the contact force at each loaded joint depends on."""
        ...
