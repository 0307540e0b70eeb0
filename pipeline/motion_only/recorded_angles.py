"""The joint angles of a recorded walk, by the pipeline's own steps up to inverse kinematics: no plate is read."""

import tempfile
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import frames_of
from pipeline.markers.trajectories import trajectories
from pipeline.motion_only.kinematic_events import events_of_markers
from pipeline.motion_only.walk_angles import WalkAngles, complete_strides
from pipeline.osim.engines import load_engine
from pipeline.own_model.standing import standing_subject
from pipeline.recordings.read_recording import read_recording
from pipeline.records import Coordinates
from pipeline.session.same_person import check_subject_blocks
from pipeline.session.session import Session, Trial, trial_name
from pipeline.session.setup import SessionSetup, open_session
from pipeline.sizing.size_subject import size_subject
from pipeline.solving.quality import judge_fit
from pipeline.solving.solve import joint_kinematics
from warehouse.channels import INPUT_COORDINATES
from warehouse.outcome import Rejection


def scaled_model(session_file: str, recipe: str, model_file: str | None) -> str | Rejection:
    """The session's scaled model, as OpenSim's XML. ValueError for what the user must correct."""
    setup = open_session(session_file, recipe, model_file)
    try:
        return size_subject(setup, standing_subject(setup)).osim_xml
    except TrialRejected as rejected:
        return Rejection(stage=rejected.stage, reason=rejected.reason)


def recorded_angles(session_file: str, file: str, recipe: str, scaled_osim_xml: str) -> WalkAngles | Rejection:
    """One walk's angles over the frames that its strides need. ValueError for what the user must correct.

    `file` may be a walk that the session doesn't list.
    """
    path, setup = Path(file), open_session(session_file, recipe, None)
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        directory = Path(name)
        model = directory / "scaled.osim"
        model.write_text(scaled_osim_xml, "utf-8")
        try:
            return _angles(setup, path, model, directory)
        except TrialRejected as rejected:
            return Rejection(stage=rejected.stage, reason=rejected.reason)


def trial_of(session: Session, path: Path) -> Trial:
    """The session's trial of this file; one of no stated condition if the session doesn't list it."""
    listed = [trial for trial in session.trials if trial.path == path]
    return listed[0] if listed else Trial(name=trial_name(path.name), path=path, condition="unspecified")


def _angles(setup: SessionSetup, path: Path, model: Path, directory: Path) -> WalkAngles:
    profile, recipe = setup.profile, setup.recipe
    recording, static = read_recording(path, needed=profile.required_labels), standing_subject(setup)
    check_subject_blocks(recording, static.recording, setup.session.subject, recipe.scaling)
    tracks = trajectories(recording, static, profile, recipe)
    events = events_of_markers(recording, tracks.recorded, profile, recipe.ground_reactions)
    markers = tracks.smooth.cut(tracks.window)
    strides, refused = complete_strides(
        path.name, markers.time_s, _unsolved(len(markers.time_s)), events, recipe.cycles
    )
    if not strides:
        raise TrialRejected(
            "cycles",
            f"{path.name}: no complete gait cycle, expected at least one of either leg: "
            f"{'; '.join(refused) or 'under two strikes of each foot'}. Record a longer walk.",
        )
    used = markers.cut(frames_of(strides, markers.time_s))
    engine = load_engine(recipe.model.engine)
    solved = joint_kinematics(engine, model, used, profile, recipe, directory / "ik")
    judge_fit(solved, path.name, recipe.quality)
    return WalkAngles(
        source=path.name,
        time_s=used.time_s,
        angles_deg=_ten_angles(solved.coordinates),
        strides=strides,
        refused=refused,
        warnings=tracks.warnings,
    )


def _unsolved(n_frames: int) -> np.ndarray:
    return np.zeros((n_frames, len(INPUT_COORDINATES)))


def _ten_angles(coordinates: Coordinates) -> np.ndarray:
    lacking = [name for name in INPUT_COORDINATES if name not in coordinates.names]
    if lacking:
        raise TrialRejected("cycles", f"the model has no coordinate {', '.join(lacking)}, of the ten inputs.")
    return np.degrees(np.stack([coordinates.column(name) for name in INPUT_COORDINATES], axis=1))
