"""One trial from its C3D file to the warehouse. `compute` is the whole chain: read it first."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.contacts import find_contacts, plates_in_ground
from pipeline.cycles import Cycle, Stride, find_strides, resample
from pipeline.errors import TrialRejected
from pipeline.gait_events import GaitEvents, detect_events
from pipeline.ground_frame import ground_rotation, to_ground
from pipeline.ground_reactions import check_body_weight, foot_wrenches, stride_impulse_errors
from pipeline.job import Job, open_job
from pipeline.observed import observed_window, used_labels, worst_gaps
from pipeline.osim.balance import muscle_balance
from pipeline.osim.engines import Engine, load_engine
from pipeline.prepare_session import static_pose
from pipeline.quality import gate, measure, worst_marker
from pipeline.read_c3d import read_c3d
from pipeline.records import (
    SIDES,
    Coordinates,
    FootWrench,
    GeneralizedForces,
    Markers,
    MuscleForces,
    Recording,
    Side,
)
from pipeline.same_person import check_segment_lengths, check_subject_blocks
from pipeline.session import Trial
from pipeline.signals import fill_gaps, low_pass
from pipeline.stages import RETRY
from pipeline.store_trial import store_accepted, store_rejected
from pipeline.swapped_labels import mend_swaps
from pipeline.targets import group_forces_n_kg, inputs_deg, moments_nm_kg
from pipeline.trial_result import TrialResult
from warehouse.outcome import Outcome
from warehouse.contents import is_trial_fresh
from warehouse.read import is_fresh, read_row, read_scaled_model

# Splines through the coordinates need this many frames to forget where the record ended.
SPLINE_MARGIN_FRAMES = 10
# Events of the laboratory further than this from ours are worth a look.
EVENT_DIFFERENCE_S = 0.05
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
        keys = {"quality": RETRY}
        try:
            keys = job.trial_keys(trial)
            if is_trial_fresh(job.warehouse, key, keys["quality"]):
                return _stored_outcome(job, trial)
            model = _scaled_model(job, keys["scaling"], Path(directory))
            result = compute(job, job.session.trial(trial), model, Path(directory))
        except TrialRejected as rejected:
            log = _log_tail(Path(directory))
            return store_rejected(job, trial, rejected.stage, rejected.reason, log, keys["quality"])
        return store_accepted(job, trial, keys, result)


def record_crash(
    session_file: str,
    trial: str,
    recipe_source: str,
    model_file: str | None,
    warehouse_root: str,
    stage: str,
    reason: str,
    log: str,
) -> Outcome:
    """Store a rejection on behalf of a worker that could not: it died, hung, or its session has no model.

    It is kept under a key of its own, so that the next `ingest` tries the trial again.
    """
    job = open_job(session_file, recipe_source, model_file, warehouse_root)
    return store_rejected(job, trial, stage, reason, log, RETRY)


def compute(job: Job, trial: Trial, model: Path, directory: Path) -> TrialResult:
    """The chain: a recording in, everything that is known of it out. TrialRejected names the stage that refused it."""
    recipe, profile, subject = job.recipe, job.profile, job.session.subject
    recording, static = read_c3d(trial.path), read_c3d(job.session.static)
    check_subject_blocks(recording, static, subject)
    rotation = ground_rotation(recording, profile)
    pose, mended_pose = static_pose(static, profile, recipe.scaling.static_window_s)
    markers, mended = mend_swaps(
        to_ground(recording, rotation, used_labels(recording, profile)),
        {label: pose.marker(label)[0] for label in pose.labels},
        profile,
    )
    markers = _without_short_gaps(markers, job)
    check_segment_lengths(recording, markers, pose, profile, recipe.scaling.max_segment_difference)
    window = observed_window(recording, markers, profile)

    plates = plates_in_ground(recording, rotation)
    contacts = find_contacts(recording, plates, markers, profile, subject.mass_kg, recipe.ground_reactions)
    events = detect_events(markers, profile, contacts, recording.events)
    wrenches = foot_wrenches(recording, plates, contacts, events, markers, recipe.ground_reactions)
    impulse_errors = stride_impulse_errors(wrenches, events, subject.mass_kg)
    impulse_error = check_body_weight(recording, impulse_errors, subject.mass_kg, recipe.ground_reactions)

    markers = _smoothed(markers, recipe.markers.marker_cutoff_hz).cut(window)
    wrenches = {side: wrenches[side].cut(window) for side in SIDES}
    strides, refused = _strides(recording, markers, wrenches, events, job)

    engine = load_engine(recipe.model.engine)
    kinematics = engine.inverse_kinematics(
        model,
        markers,
        marker_weights={label: profile.markers[label].ik_weight for label in markers.labels},
        accuracy=recipe.inverse_kinematics.ik_accuracy,
        directory=directory / "ik",
    ).judged_by([label for label, marker in profile.markers.items() if not marker.guide])
    coordinates = _smoothed_coordinates(kinematics.coordinates, recipe.inverse_dynamics.coordinate_cutoff_hz)
    moments = engine.inverse_dynamics(
        model,
        coordinates,
        list(wrenches.values()),
        foot_bodies=_foot_bodies(job),
        lowpass_hz=None,
        directory=directory / "id",
    )
    frames = _frames_of(strides, markers.time_s)
    muscles = _muscle_forces(engine, model, coordinates, wrenches, frames, job, directory / "so")
    balance = muscle_balance(model, coordinates.cut(frames), moments.cut(frames), muscles)
    quality = measure(
        kinematics,
        moments.cut(frames),
        muscles,
        balance,
        {side: wrenches[side].cut(frames) for side in SIDES},
        mass_kg=subject.mass_kg,
        height_m=subject.height_m,
        settings=recipe.quality,
    )
    gate(recording.path.name, quality, worst_marker(kinematics), recipe.quality)
    return TrialResult(
        recording=recording,
        kinematics=kinematics,
        wrenches=wrenches,
        moments=moments,
        muscles=muscles,
        balance=balance,
        cycles=_cycles(strides, kinematics.coordinates, moments, muscles, wrenches, frames, job),
        quality=quality,
        impulse_error=impulse_error,
        speed_m_s=_speed_m_s(markers, job),
        warnings=(
            *recording.warnings,
            *mended_pose,
            *mended,
            *(f"plate contact at {c.start_s:.2f} s: {c.reason}" for c in contacts if c.reason),
            *refused,
            *_gap_warning(markers),
            *_event_warning(events.laboratory_worst_s),
        ),
    )


def _scaled_model(job: Job, scaling_key: str, directory: Path) -> Path:
    """The session's scaled model as a file; TrialRejected if the warehouse doesn't hold one of these settings."""
    if not is_fresh(job.warehouse, "scaling", job.session.key, scaling_key):
        raise TrialRejected(
            "scaling",
            f"{job.session.file}: the warehouse holds no scaled model of this session by these settings. "
            "Run `gait2hip ingest`, which makes it first.",
        )
    model = directory / "scaled.osim"
    model.write_text(read_scaled_model(job.warehouse, job.session.key), "utf-8")
    return model


def _without_short_gaps(markers: Markers, job: Job) -> Markers:
    filled = fill_gaps(markers.positions_m, markers.rate_hz, job.recipe.markers.max_gap_s)
    return replace(markers, positions_m=filled)


def _smoothed(markers: Markers, cutoff_hz: float) -> Markers:
    return replace(markers, positions_m=low_pass(markers.positions_m, markers.rate_hz, cutoff_hz))


def _smoothed_coordinates(coordinates: Coordinates, cutoff_hz: float) -> Coordinates:
    rate_hz = (len(coordinates.time_s) - 1) / (coordinates.time_s[-1] - coordinates.time_s[0])
    return replace(coordinates, values=low_pass(coordinates.values, rate_hz, cutoff_hz))


def _strides(
    recording: Recording, markers: Markers, wrenches: Mapping[Side, FootWrench], events: GaitEvents, job: Job
) -> tuple[tuple[Stride, ...], tuple[str, ...]]:
    """Every complete stride of both legs; TrialRejected, with each stride's reason, if there is none."""
    found: list[Stride] = []
    refused: list[str] = []
    for side in SIDES:
        strides, why = find_strides(side, markers.time_s, wrenches[side].known, events, job.recipe.cycles)
        found += strides
        refused += why
    if not found:
        reasons = sorted({reason for side in SIDES for reason in wrenches[side].reason if reason})
        raise TrialRejected(
            "cycles",
            f"{recording.path.name}: no complete gait cycle with a known ground reaction, expected at least one. "
            f"Strides: {'; '.join(refused) or 'none seen'}. Feet: {'; '.join(reasons) or 'no stance'}. "
            f"{worst_gaps(markers)}".rstrip(),
        )
    return tuple(found), tuple(refused)


def _foot_bodies(job: Job) -> dict[Side, str]:
    return {"right": job.recipe.model.right_foot_body, "left": job.recipe.model.left_foot_body}


def _frames_of(strides: tuple[Stride, ...], time_s: np.ndarray) -> slice:
    """From just before the first complete stride to just after the last: the frames that need muscle forces."""
    frame_s = time_s[1] - time_s[0]
    during = np.flatnonzero(
        (time_s > min(stride.start_s for stride in strides) - 1.5 * frame_s)
        & (time_s < max(stride.stop_s for stride in strides) + 1.5 * frame_s)
    )
    return slice(int(during[0]), int(during[-1]) + 1)


def _muscle_forces(
    engine: Engine,
    model: Path,
    coordinates: Coordinates,
    wrenches: Mapping[Side, FootWrench],
    frames: slice,
    job: Job,
    directory: Path,
) -> MuscleForces:
    """Static optimization over some frames, with a margin on either side for the splines through the coordinates."""
    settings = job.recipe.static_optimization
    wide = slice(max(0, frames.start - SPLINE_MARGIN_FRAMES), frames.stop + SPLINE_MARGIN_FRAMES)
    muscles = engine.static_optimization(
        model,
        coordinates.cut(wide),
        list(wrenches.values()),
        foot_bodies=_foot_bodies(job),
        lowpass_hz=None,
        directory=directory,
        **settings.model_dump(),
    )
    return muscles.cut(slice(frames.start - wide.start, frames.stop - wide.start))


def _cycles(
    strides: tuple[Stride, ...],
    coordinates: Coordinates,
    moments: GeneralizedForces,
    muscles: MuscleForces,
    wrenches: Mapping[Side, FootWrench],
    frames: slice,
    job: Job,
) -> tuple[Cycle, ...]:
    cycles = []
    for stride in strides:
        side, mass_kg = stride.side, job.session.subject.mass_kg
        channels = {
            **inputs_deg(coordinates.cut(frames), side),
            **group_forces_n_kg(muscles, side, mass_kg),
            **moments_nm_kg(moments.cut(frames), side, mass_kg),
        }
        known = wrenches[side].known[frames]
        cycles.append(resample(stride, muscles.time_s, channels, known, job.recipe.cycles.cycle_points))
    return tuple(cycles)


def _speed_m_s(markers: Markers, job: Job) -> float:
    """Mean forward speed of the pelvis."""
    forward = markers.marker(job.profile.pelvis.right_anterior)[:, 0]
    seen = np.flatnonzero(np.isfinite(forward))
    span_s = markers.time_s[seen[-1]] - markers.time_s[seen[0]]
    return float((forward[seen[-1]] - forward[seen[0]]) / span_s)


def _gap_warning(markers: Markers) -> tuple[str, ...]:
    gaps = worst_gaps(markers)
    return (gaps,) if gaps else ()


def _event_warning(laboratory_worst_s: float) -> tuple[str, ...]:
    if not abs(laboratory_worst_s) > EVENT_DIFFERENCE_S:
        return ()
    return (
        f"the laboratory's own events differ by up to {laboratory_worst_s * 1e3:+.0f} ms (ours less theirs)",
    )


def _stored_outcome(job: Job, trial: str) -> Outcome:
    key = job.session.trial_key(trial)
    row = read_row(job.warehouse, "trials", key)
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
