"""One trial's whole chain, from a C3D file to records: read it first.

The result follows from the session's settings, its recordings and the subject's model alone; no warehouse is read.
`pipeline/storing` takes it there; `gait2hip verify` and predictions call the same steps.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.anatomy.joint_angles import joint_angles
from pipeline.errors import TrialRejected
from pipeline.ground.cycles import LostStride, Stride, frames_of
from pipeline.ground.observe_walk import ObservedWalk, observe_passes
from pipeline.ground.plate_lag import PlateLag, lag_warnings
from pipeline.ground.plates.plate_faults import PlateAgreement, plate_warnings, why_plates_refused
from pipeline.ground.progression import turns_in_words
from pipeline.markers.static_trial import StaticTrial
from pipeline.osim.engines import load_engine
from pipeline.osim.models.shared_model import coordinate_ranges
from pipeline.own_model.solved_motion import SolvedMotion, kinematics_as_given, solved_motion
from pipeline.plates_agree import plates_against_motion
from pipeline.plates_in_time import lag_of_walk, together
from pipeline.records import Kinematics, SubjectModel
from pipeline.session.recipe import Recipe
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup
from pipeline.solving.engine import Engine
from pipeline.solving.judged_strides import (
    JudgedStride,
    SolvedButRejected,
    judged_by_forces,
    judged_by_motion,
    kept_strides,
    lost_strides_told,
    motion_notes,
    no_stride_stands,
)
from pipeline.solving.leaps import leap_warnings, leaps_of
from pipeline.solving.path_steps import path_step_warnings
from pipeline.solving.quality import residual_ratios
from pipeline.solving.solution import Solution, joined_kinematics, joined_solution, joined_wrenches
from pipeline.solving.solve import joint_kinematics, known_over, solve_forces
from pipeline.solving.targets import cut_cycles
from pipeline.solving.trial_result import TrialResult, frames_in

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

    Strides are judged one by one: one that fails is left out, and the trial is rejected if none is left, as
    SolvedButRejected where its motion was solved.

    Engines work in `directory`. `known` are kinematics that were solved before from just these markers, model and
    settings; None solves them.
    """
    recipe, subject = setup.recipe, setup.session.subject
    given = _motion_as_given(setup, trial)
    passes = observe_passes(setup, trial, static, given.recording if given else None)
    recording, ground = passes[0].recording, passes[0].ground
    engine = load_engine(recipe.model.engine)
    motions = []
    for number, walk in enumerate(passes):
        if given:
            cutoff_hz = recipe.markers.marker_cutoff_hz
            motion = kinematics_as_given(given, walk.markers.time_s, walk.tracks.rotation, cutoff_hz)
        else:
            motion = known_over(walk.markers, known) or joint_kinematics(
                engine, model.file, walk.markers, setup.profile, recipe, directory / "ik" / str(number)
            )
        motions.append(motion)
    kinematics = joined_kinematics(motions)
    leaps = leaps_of(kinematics.coordinates, recipe.quality)
    complete = [stride for walk in passes for stride in walk.strides]
    seen: list[Stride | LostStride] = [*passes[0].lost, *complete]
    judged = judged_by_motion(seen, kinematics, leaps, coordinate_ranges(model.file), recipe.quality)
    agreements = _agreements(model.file, passes, motions, judged, subject.mass_kg, recipe)
    try:
        _refuse_disagreeing(recording.path.name, agreements, recipe)
        solved = _solve_passes(engine, model.file, passes, motions, judged, recipe, directory)
    except TrialRejected as rejected:
        raise SolvedButRejected(rejected.stage, rejected.reason, kinematics, judged) from rejected
    if not solved:
        raise no_stride_stands(recording.path.name, kinematics, judged)

    solution = joined_solution([one for _, one in solved])
    wrenches = joined_wrenches([walk.wrenches for walk, _ in solved])
    judged = judged_by_forces(judged, solution, wrenches, subject, recipe.quality)
    kept = kept_strides(judged)
    if not kept:
        raise no_stride_stands(recording.path.name, kinematics, judged)
    left = residual_ratios(solution, wrenches, subject, frames_in(kept, solution.moments.time_s))
    angles = joint_angles(model.file, model.scale_factors, solution.kinematics.coordinates)
    return TrialResult(
        recording=recording,
        solution=solution,
        angles=angles,
        wrenches=wrenches,
        cycles=cut_cycles(kept, solution, wrenches, subject.mass_kg, recipe.cycles.cycle_points),
        judged=judged,
        residuals=left,
        impulse_error=ground.impulse_error,
        plates=agreements[0] if agreements else None,
        speed_m_s=float(
            np.average([walk.speed_m_s for walk, _ in solved], weights=[len(walk.markers.time_s) for walk, _ in solved])
        ),
        warnings=(
            *passes[0].tracks.warnings,
            *ground.warnings,
            *dict.fromkeys(told for one in agreements for told in plate_warnings(one, recipe.inverse_dynamics)),
            *lag_warnings(_plate_lag(model.file, solved, recipe), setup.plates_lag_s),
            *lost_strides_told(judged),
            *turns_in_words(kept),
            *solution.muscle_source.warnings(),
            *motion_notes(judged, recipe.quality),
            *leap_warnings(leaps, complete),
            *path_step_warnings(solution.laid, recipe.quality),
            *_at_the_edge(judged, solution.moments.time_s),
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


def _agreements(
    model: Path,
    passes: Sequence[ObservedWalk],
    motions: Sequence[Kinematics],
    judged: Sequence[JudgedStride],
    mass_kg: float,
    recipe: Recipe,
) -> list[PlateAgreement]:
    """How the plates of each pass agree with its motion, as far as that can be told.

    A motion that no stride was kept of says nothing of plates.
    """
    kept = kept_strides(judged)
    found = [
        plates_against_motion(model, motion.coordinates, walk, mass_kg, recipe)
        for walk, motion in zip(passes, motions, strict=True)
        if any(stride in kept for stride in walk.strides)
    ]
    return [one for one in found if one]


def _refuse_disagreeing(source: str, agreements: Sequence[PlateAgreement], recipe: Recipe) -> None:
    for agreement in agreements:
        why = why_plates_refused(agreement, recipe.inverse_dynamics)
        if why:
            raise TrialRejected("inverse_dynamics", f"{source}: {why}, or leave the trial out.")


def _solve_passes(
    engine: Engine,
    model: Path,
    passes: Sequence[ObservedWalk],
    motions: Sequence[Kinematics],
    judged: Sequence[JudgedStride],
    recipe: Recipe,
    directory: Path,
) -> list[tuple[ObservedWalk, Solution]]:
    """The passes that have a stride left, with what follows from their motion over the frames of these strides."""
    kept, solved = kept_strides(judged), []
    for number, (walk, motion) in enumerate(zip(passes, motions, strict=True)):
        strides = [stride for stride in walk.strides if stride in kept]
        if strides:
            frames = frames_of(strides, walk.markers.time_s)
            found = solve_forces(
                engine, model, motion, walk.wrenches, frames, recipe, directory / "forces" / str(number)
            )
            solved.append((walk, found))
    return solved


def _plate_lag(model: Path, solved: Sequence[tuple[ObservedWalk, Solution]], recipe: Recipe) -> PlateLag | None:
    """The lag that the passes show; None if none of them shows one."""
    shown = [lag_of_walk(model, one.kinematics.coordinates, one.moments, walk.wrenches, recipe) for walk, one in solved]
    lags = [lag for lag in shown if lag]
    return lags[0] if len(lags) == 1 else together(lags)


def _at_the_edge(judged: Sequence[JudgedStride], time_s: np.ndarray) -> list[str]:
    margins_s = {one: one.stride.margin_s(time_s) for one in judged if one.kept and isinstance(one.stride, Stride)}
    return [
        f"{one}: the frames end {margin_s * 1e3:.0f} ms from it, and the accelerations there are extrapolated"
        for one, margin_s in margins_s.items()
        if margin_s < FILTER_MARGIN_S
    ]
