"""Muscles laid by engine `exact` for the balance, or the loads, of forces that a test made up or solved."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.osim.balance import muscle_balance
from pipeline.osim.joint_loads import joint_loads
from pipeline.osim.laid_muscles import laid_muscles
from pipeline.records import Coordinates, FootWrench, GeneralizedForces, JointLoads, MuscleForces, Side
from pipeline.session.recipe import MechanicsLaw


def balance_by(
    model: Path, coordinates: Coordinates, moments: GeneralizedForces, forces: MuscleForces, mechanics: MechanicsLaw
) -> GeneralizedForces:
    laid = laid_muscles(model, coordinates, forces, mechanics=mechanics)
    return muscle_balance(model, coordinates, moments, forces, laid)


def loads_by(
    model: Path,
    coordinates: Coordinates,
    wrenches: Sequence[FootWrench],
    forces: MuscleForces,
    foot_bodies: Mapping[Side, str],
    mechanics: MechanicsLaw,
) -> JointLoads:
    laid = laid_muscles(model, coordinates, forces, mechanics=mechanics)
    return joint_loads(model, coordinates, wrenches, laid, foot_bodies=foot_bodies, mechanics=mechanics)
