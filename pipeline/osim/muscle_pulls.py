"""What muscles of known forces do to a model's bodies, whoever found the forces."""

import numpy as np

from pipeline.mechanics.muscles.pulls import muscle_pulls
from pipeline.osim.asking.muscles import asked_pulls
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import MuscleForces
from pipeline.session.recipe import MechanicsLaw


def pulls_of_muscles(
    shared: SharedModel, poses: np.ndarray, forces: MuscleForces, mechanics: MechanicsLaw
) -> tuple[np.ndarray, np.ndarray]:
    """Wrenches on the skeleton's bodies, (T, B, 6), and what acts on coordinates directly, (T, Q), at poses (T, Q).

    ValueError if the forces are of other muscles than the model's.
    """
    if forces.muscle_names != shared.summary.muscles:
        raise ValueError(f"the forces are of other muscles ({forces.muscle_names}) than the model's.")
    skeleton, paths = shared.skeleton, shared.muscles.paths_by(mechanics)
    if paths is None:
        return asked_pulls(shared.model, skeleton.bodies, poses, forces.force_n)
    return muscle_pulls(skeleton.tree, paths, poses, forces.force_n)
