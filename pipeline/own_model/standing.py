"""How the subject stands: as recorded, or as their own model does."""

from pathlib import Path

from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.markers.observed import used_labels
from pipeline.markers.static_trial import StaticTrial, read_static
from pipeline.own_model.solved_motion import standing_model
from pipeline.session.profile import Profile
from pipeline.session.setup import SessionSetup


def standing_subject(setup: SessionSetup) -> StaticTrial:
    """The pose that a session's walks are compared with. TrialRejected if nothing tells it."""
    if setup.session.scaled_model is None:
        return read_static(setup)
    return _pose_of_a_model(setup.session.scaled_model, setup.profile)


def _pose_of_a_model(model_file: Path, profile: Profile) -> StaticTrial:
    recording = standing_model(model_file)
    pose = to_ground(recording, ground_rotation(recording, profile), used_labels(recording, profile))
    return StaticTrial(recording=recording, pose=pose, warnings=(), stands=False)
