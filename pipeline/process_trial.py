"""One trial from its C3D file to the warehouse. `compute` is the whole chain: read it first."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import Stride
from pipeline.ground.observe_walk import observe_walk
from pipeline.records import Kinematics, Markers
from pipeline.session.profile import Profile
from pipeline.session.session import Trial
from pipeline.sizing.static_fit import static_fit_warnings
from pipeline.solving.leaps import leap_warnings
from pipeline.solving.quality import judge_trial, keep_explained
from pipeline.solving.solve import solve
from pipeline.solving.targets import cut_cycles
from pipeline.solving.trial_result import TrialResult
from pipeline.storing.job import Job, open_job
from pipeline.storing.stages import keys_of, table_keys
from pipeline.storing.store_rejected import store_failure, store_rejected
from pipeline.storing.store_trial import store_accepted
from pipeline.storing.stored_kinematics import read_kinematics
from warehouse.files.read import read_scaled_model, stored
from warehouse.holdings.contents import is_session_fresh, is_trial_fresh
from warehouse.outcome import Outcome

# Nearer than this to where the observed frames end, filtered accelerations are guesses.
FILTER_MARGIN_S = 0.05
# A rejected trial's log keeps this many lines.
LOG_LINES = 30


def process_trial(
    session_file: str, trial: str, recipe_source: str, model_file: str | None, warehouse_root: str
) -> Outcome:
    """Take one trial through the chain and store what became of it, unless the warehouse holds just that already.

    ValueError for what the user must correct before anything can run. What is wrong with the trial itself is
    an outcome: rejected, with the stage and the reason, in the warehouse too.
    """
    job = open_job(session_file, recipe_source, model_file, warehouse_root)
    key = job.session.trial_key(trial)
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        try:
            accounts = job.trial_accounts(trial)
        except TrialRejected as unreadable:
            # A disk that is away, say: nothing is known against what the recording gave before.
            return store_failure(job, trial, unreadable.stage, unreadable.reason, "")
        keys = keys_of(accounts)
        try:
            if is_trial_fresh(job.warehouse, key, table_keys(keys)):
                return _stored_outcome(job, trial)
            model = _scaled_model(job, keys["session"], Path(directory))
            known = read_kinematics(job.warehouse, key, keys)
            result = compute(job, job.session.trial(trial), model, Path(directory), known)
        except TrialRejected as rejected:
            log = _log_tail(Path(directory))
            return store_rejected(job, trial, rejected.stage, rejected.reason, log, accounts)
        return store_accepted(job, trial, accounts, result)


def compute(job: Job, trial: Trial, model: Path, directory: Path, known: Kinematics | None = None) -> TrialResult:
    """The chain: a recording in, everything that is known of it out. TrialRejected names the stage that refused it.

    `known` are kinematics that an earlier run has stored for just these markers, model and settings.
    """
    recipe, profile, subject = job.recipe, job.profile, job.session.subject
    walk = observe_walk(job, trial)
    recording, markers, wrenches = walk.recording, walk.markers, walk.wrenches
    solution = solve(model, markers, wrenches, walk.frames, profile, recipe, directory, known)
    quality = judge_trial(solution, wrenches, subject, recording.path.name, recipe.quality)
    explained, unexplained = keep_explained(walk.strides, solution, recording.path.name, recipe.quality)
    return TrialResult(
        recording=recording,
        solution=solution,
        wrenches=wrenches,
        cycles=cut_cycles(tuple(explained), solution, wrenches, subject.mass_kg, recipe.cycles.cycle_points),
        quality=quality,
        strides=explained,
        impulse_error=walk.ground.impulse_error,
        speed_m_s=_speed_m_s(markers, profile),
        warnings=(
            *walk.tracks.warnings,
            *walk.ground.warnings,
            *walk.refused,
            *leap_warnings(solution.kinematics.coordinates, recipe.quality),
            *unexplained,
            *_at_the_edge(explained, markers.time_s),
            *static_fit_warnings(job),
            *_unchecked_mass(walk.ground.impulse_error, quality.residual_force_ratio),
        ),
    )


def _scaled_model(job: Job, session_key: str, directory: Path) -> Path:
    """The session's scaled model as a file; ValueError if the warehouse doesn't hold one of these settings."""
    if not is_session_fresh(job.warehouse, job.session.key, session_key):
        raise ValueError(
            f"{job.session.file}: the warehouse holds no scaled model of this session by these settings. "
            "Run `gait2hip ingest`, which makes it first."
        )
    model = directory / "scaled.osim"
    model.write_text(read_scaled_model(job.warehouse, job.session.key), "utf-8")
    return model


def _at_the_edge(strides: Iterable[Stride], time_s: np.ndarray) -> list[str]:
    near = [stride for stride in strides if stride.margin_s(time_s) < FILTER_MARGIN_S]
    return [
        f"{stride.side} stride at {stride.start_s:.2f} s: the frames end {stride.margin_s(time_s) * 1e3:.0f} ms "
        "from it, and the accelerations there are extrapolated"
        for stride in near
    ]


def _unchecked_mass(impulse_error: float, residual_force_ratio: float) -> list[str]:
    if np.isnan(impulse_error) and np.isnan(residual_force_ratio):
        return ["no stride has both feet on plates: the stated mass could not be checked against the ground's force"]
    return []


def _speed_m_s(markers: Markers, profile: Profile) -> float:
    """Mean forward speed of the pelvis."""
    forward = markers.marker(profile.pelvis.right_anterior)[:, 0]
    seen = np.flatnonzero(np.isfinite(forward))
    span_s = markers.time_s[seen[-1]] - markers.time_s[seen[0]]
    return float((forward[seen[-1]] - forward[seen[0]]) / span_s)


def _stored_outcome(job: Job, trial: str) -> Outcome:
    key = job.session.trial_key(trial)
    row = stored(job.warehouse, "trials", key).summary
    return Outcome(
        key=key,
        status=row["outcome"],
        stage=row["stage"],
        reason=row["reason"],
        fresh=True,
        n_cycles=row["n_cycles_right"] + row["n_cycles_left"],
    )


def _log_tail(directory: Path) -> str:
    """The last lines of the newest OpenSim log under a trial's directory; "" if OpenSim never ran."""
    logs = sorted(directory.rglob("opensim.log"), key=lambda path: path.stat().st_mtime)
    return "\n".join(logs[-1].read_text("utf-8", "replace").splitlines()[-LOG_LINES:]) if logs else ""
