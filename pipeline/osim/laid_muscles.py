"""A walk's muscles laid along their paths, once for all that needs them: the balance, joint loads, steps of paths."""

from pathlib import Path

import numpy as np

from pipeline.mechanics.arrays import Paths, Tree
from pipeline.mechanics.muscles.paths import laid_paths
from pipeline.osim.asking.muscles import asked_pulls
from pipeline.osim.models.shared_model import SharedModel, shared_model
from pipeline.osim.motion import Motion, differentiated
from pipeline.records import Coordinates, MuscleForces
from pipeline.session.recipe import MechanicsLaw
from pipeline.solving.engine import LaidMuscles, MuscleSource

# So many frames are laid at a time: paths take more memory than what comes of them.
_BLOCK_FRAMES = 1024


def laid_muscles(
    model_file: Path, coordinates: Coordinates, forces: MuscleForces, *, mechanics: MechanicsLaw
) -> LaidMuscles:
    """Engine `exact`'s muscles at `forces.time_s`; `coordinates` may cover more frames.

    ValueError if the forces are of other muscles than the model's, or of times that are not among the coordinates'.
    """
    shared = shared_model(model_file)
    paths = shared.muscles.paths_by(mechanics)
    if paths is None:
        return laid_by_opensim(model_file, coordinates, forces)
    motion = _motion(shared, model_file, coordinates, forces)
    laid = _empty(forces, n_bodies=len(shared.skeleton.bodies), n_coordinates=len(shared.names))
    _lay_in_blocks(shared.skeleton.tree, paths, motion, forces.force_n, laid)
    return laid


def _lay_in_blocks(tree: Tree, paths: Paths, motion: Motion, tension_n: np.ndarray, laid: LaidMuscles) -> None:
    for first in range(0, len(tension_n), _BLOCK_FRAMES):
        block = slice(first, first + _BLOCK_FRAMES)
        found, pulls = laid_paths(tree, paths, motion.values[block], motion.speeds[block], tension_n[block])
        laid.length_m[block], laid.lengthening_m_s[block] = found.length_m, found.lengthening_m_s
        laid.wrenches[block], laid.direct[block] = pulls.wrenches, pulls.direct


def laid_by_opensim(model_file: Path, coordinates: Coordinates, forces: MuscleForces) -> LaidMuscles:
    """Engine `tools`' and, where arrays can't say a model's muscles, `exact`'s too."""
    shared = shared_model(model_file)
    motion = _motion(shared, model_file, coordinates, forces)
    laid = _empty(forces, n_bodies=len(shared.skeleton.bodies), n_coordinates=len(shared.names))
    pulls = asked_pulls(shared.model, shared.skeleton.bodies, motion.values, motion.speeds, forces.force_n)
    laid.length_m[:], laid.lengthening_m_s[:] = pulls.length_m, pulls.lengthening_m_s
    laid.wrenches[:], laid.direct[:] = pulls.wrenches, pulls.direct
    return laid


def muscle_source(model_file: Path) -> MuscleSource:
    """What engine `exact` asks OpenSim for, of the model's muscles."""
    muscles = shared_model(model_file).muscles
    if not muscles.asked:
        return MuscleSource(asked=(), why=())
    asked = ("paths",) if muscles.fibres is not None else ("paths", "fibres")
    return MuscleSource(asked=asked, why=muscles.asked)


def frames_among(among_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Where times lie among others. ValueError if one is not there."""
    places = np.searchsorted(among_s, wanted_s)
    if not (places < len(among_s)).all() or not np.array_equal(among_s[places], wanted_s):
        raise ValueError(
            f"muscle forces cover {wanted_s[0]:.3f}-{wanted_s[-1]:.3f} s in {len(wanted_s)} frames; some are not among "
            f"the coordinates' {len(among_s)}, {among_s[0]:.3f}-{among_s[-1]:.3f} s."
        )
    return places


def _motion(shared: SharedModel, model_file: Path, coordinates: Coordinates, forces: MuscleForces) -> Motion:
    """The motion of the forces' frames."""
    if forces.muscle_names != shared.summary.muscles:
        raise ValueError(f"the forces are of other muscles ({forces.muscle_names}) than the model's.")
    frames = frames_among(coordinates.time_s, forces.time_s)
    motion = differentiated(shared, coordinates, None, model_file.parent)
    return Motion(
        values=motion.values[frames], speeds=motion.speeds[frames], accelerations=motion.accelerations[frames]
    )


def _empty(forces: MuscleForces, *, n_bodies: int, n_coordinates: int) -> LaidMuscles:
    n_frames, n_muscles = forces.force_n.shape
    return LaidMuscles(
        time_s=forces.time_s,
        muscle_names=forces.muscle_names,
        length_m=np.empty((n_frames, n_muscles)),
        lengthening_m_s=np.empty((n_frames, n_muscles)),
        wrenches=np.empty((n_frames, n_bodies, 6)),
        direct=np.empty((n_frames, n_coordinates)),
    )
