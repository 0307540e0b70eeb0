"""One trial's whole chain, from a C3D file to records: read it first.

The result follows from the session's settings, its recordings and the subject's model alone; no warehouse is read.
`pipeline/storing` takes it there; `gait2hip verify` and predictions call the same steps.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pipeline.anatomy.joint_angles import joint_angles
from pipeline.ground.cycles import Stride
from pipeline.ground.observe_walk import observe_walk
from pipeline.ground.plate_lag import lag_warnings
from pipeline.markers.static_trial import StaticTrial
from pipeline.osim.engines import load_engine
from pipeline.osim.models.shared_model import coordinate_ranges
from pipeline.own_model.solved_motion import SolvedMotion, kinematics_as_given, solved_motion
from pipeline.plates_in_time import lag_of_walk
from pipeline.records import Kinematics, SubjectModel
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup
from pipeline.solving.leaps import leap_warnings
from pipeline.solving.path_steps import path_step_warnings
from pipeline.solving.quality import judge_trial, keep_explained
from pipeline.solving.range_ends import keep_within_ranges
from pipeline.solving.solve import solve
from pipeline.solving.targets import cut_cycles
from pipeline.solving.trial_result import TrialResult

# Nearer than this to where the observed frames end, filtered accelerations are guesses.
FILTER_MARGIN_S = 0.05


def process_trial(
    setup: SessionSetup,
    trial: Trial,
    static: StaticTrial,
    model: SubjectModel,
    directory: Path,
    known: Kinematics | None = None,
) -> TrialResult:
    """A recording in, everything that is known of it out. TrialRejected names the stage that refused it.

    Engines work in `directory`. `known` are kinematics that were solved before from just these markers, model and
    settings; None solves them.
    """
    recipe, subject = setup.recipe, setup.session.subject
    motion = _motion_as_given(setup, trial)
    walk = observe_walk(setup, trial, static, motion.recording if motion else None)
    recording, markers, wrenches = walk.recording, walk.markers, walk.wrenches
    engine = load_engine(recipe.model.engine)
    if motion:
        known = kinematics_as_given(motion, walk.markers.time_s, walk.tracks.rotation, recipe.markers.marker_cutoff_hz)
    solution = solve(engine, model.file, markers, wrenches, walk.frames, setup.profile, recipe, directory, known)
    angles = joint_angles(model.file, model.scale_factors, solution.kinematics.coordinates)
    quality = judge_trial(solution, wrenches, subject, recording.path.name, recipe.quality)
    lag = lag_of_walk(model.file, solution.kinematics.coordinates, solution.moments, wrenches, recipe)
    free, at_ends = keep_within_ranges(
        walk.strides,
        solution.kinematics.coordinates,
        coordinate_ranges(model.file),
        recording.path.name,
        recipe.quality,
    )
    explained, unexplained = keep_explained(free, solution, recording.path.name, recipe.quality)
    return TrialResult(
        recording=recording,
        solution=solution,
        angles=angles,
        wrenches=wrenches,
        cycles=cut_cycles(tuple(explained), solution, wrenches, subject.mass_kg, recipe.cycles.cycle_points),
        quality=quality,
        strides=explained,
        impulse_error=walk.ground.impulse_error,
        speed_m_s=walk.speed_m_s,
        warnings=(
            *walk.tracks.warnings,
            *walk.ground.warnings,
            *lag_warnings(lag, setup.plates_lag_s),
            *walk.refused,
            *walk.turns,
            *solution.muscle_source.warnings(),
            *at_ends,
            *leap_warnings(solution.kinematics.coordinates, recipe.quality),
            *path_step_warnings(solution.laid, recipe.quality),
            *unexplained,
            *_at_the_edge(explained, markers.time_s),
            *angles.warnings,
            *model.warnings,
        ),
    )


def _motion_as_given(setup: SessionSetup, trial: Trial) -> SolvedMotion | None:
    """A trial of joint coordinates, which inverse dynamics begins with; None of one of markers."""
    if not trial.is_solved:
        return None
    # A session that has such trials names their model.
    assert setup.session.scaled_model is not None
    return solved_motion(trial.path, trial.forces, setup.session.scaled_model)


def _at_the_edge(strides: Iterable[Stride], time_s: np.ndarray) -> list[str]:
    near = [stride for stride in strides if stride.margin_s(time_s) < FILTER_MARGIN_S]
    return [
        f"{stride.side} stride at {stride.start_s:.2f} s: the frames end {stride.margin_s(time_s) * 1e3:.0f} ms "
        "from it, and the accelerations there are extrapolated"
        for stride in near
    ]
