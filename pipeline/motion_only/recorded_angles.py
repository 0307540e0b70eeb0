"""The joint angles of a recorded walk, by the pipeline's own steps up to inverse kinematics; of plates, only up."""

import tempfile
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.motion_only.motion_file import read_mot
from pipeline.motion_only.recorded_motion import recorded_motion
from pipeline.motion_only.walk_angles import WalkAngles
from pipeline.own_model.standing import standing_subject
from pipeline.records import Coordinates
from pipeline.session.session import Session, Trial, trial_name
from pipeline.session.setup import SessionSetup, open_session
from pipeline.sizing.size_subject import size_subject
from pipeline.solving.judged_strides import lost_strides_told, motion_notes
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

    `file` may be a walk that the session doesn't list, or joint coordinates, which are taken as given.
    """
    path, setup = Path(file), open_session(session_file, recipe, None)
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        directory = Path(name)
        model = directory / "scaled.osim"
        model.write_text(scaled_osim_xml, "utf-8")
        try:
            if path.suffix.lower() in (".mot", ".sto"):
                return read_mot(path, setup.recipe)
            return _angles(setup, path, model, directory)
        except TrialRejected as rejected:
            return Rejection(stage=rejected.stage, reason=rejected.reason)


def trial_of(session: Session, path: Path) -> Trial:
    """The session's trial of this file; one of no stated condition if the session doesn't list it."""
    listed = [trial for trial in session.trials if trial.path == path]
    return listed[0] if listed else Trial(name=trial_name(path.name), path=path, condition="unspecified")


def _angles(setup: SessionSetup, path: Path, model: Path, directory: Path) -> WalkAngles:
    motion = recorded_motion(setup, path, standing_subject(setup), model, directory)
    return WalkAngles(
        source=path.name,
        time_s=motion.kinematics.coordinates.time_s,
        angles_deg=_ten_angles(motion.kinematics.coordinates),
        strides=motion.strides,
        refused=tuple(f"{path.name}: {told}" for told in lost_strides_told(motion.judged)),
        warnings=(*motion.tracks.warnings, *motion_notes(motion.judged, setup.recipe.quality)),
    )


def _ten_angles(coordinates: Coordinates) -> np.ndarray:
    lacking = [name for name in INPUT_COORDINATES if name not in coordinates.names]
    if lacking:
        raise TrialRejected("cycles", f"the model has no coordinate {', '.join(lacking)}, of the ten inputs.")
    return np.degrees(np.stack([coordinates.column(name) for name in INPUT_COORDINATES], axis=1))
