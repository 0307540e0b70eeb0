"""What muscles of known forces do to a model's bodies: along the paths of the engine that found the forces."""

from collections.abc import Callable

import numpy as np

from pipeline.mechanics.muscles.pulls import muscle_pulls
from pipeline.osim.asking.muscles import asked_pulls
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import MuscleForces
from pipeline.session.recipe import MechanicsLaw

# So many frames are laid at a time: paths take more memory than what comes of them.
_BLOCK_FRAMES = 1024

# Wrenches on the skeleton's bodies, (T, B, 6), and what acts on coordinates directly, (T, Q).
Pulls = tuple[np.ndarray, np.ndarray]
PullsOf = Callable[[SharedModel, np.ndarray, MuscleForces, MechanicsLaw], Pulls]


def pulls_by_arrays(shared: SharedModel, poses: np.ndarray, forces: MuscleForces, mechanics: MechanicsLaw) -> Pulls:
    """Engine `exact`'s, at poses (T, Q). ValueError if the forces are of other muscles than the model's."""
    paths = shared.muscles.paths_by(mechanics)
    if paths is None:
        return pulls_by_opensim(shared, poses, forces, mechanics)
    _require_the_models(shared, forces)
    blocks = [slice(first, first + _BLOCK_FRAMES) for first in range(0, len(poses), _BLOCK_FRAMES)]
    parts = [muscle_pulls(shared.skeleton.tree, paths, poses[block], forces.force_n[block]) for block in blocks]
    wrenches, direct = zip(*parts, strict=True)
    return np.concatenate(wrenches), np.concatenate(direct)


def pulls_by_opensim(
    shared: SharedModel,
    poses: np.ndarray,
    forces: MuscleForces,
    mechanics: MechanicsLaw,  # noqa: ARG001 - OpenSim knows one
) -> Pulls:
    """Engine `tools`' and, where arrays can't say a model's muscles, `exact`'s too."""
    _require_the_models(shared, forces)
    return asked_pulls(shared.model, shared.skeleton.bodies, poses, forces.force_n)


def _require_the_models(shared: SharedModel, forces: MuscleForces) -> None:
    if forces.muscle_names != shared.summary.muscles:
        raise ValueError(f"the forces are of other muscles ({forces.muscle_names}) than the model's.")
