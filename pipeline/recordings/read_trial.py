"""A session's trial to its recording, whatever its files hold."""

from pipeline.recordings.read_recording import read_recording
from pipeline.recordings.solved_motion import solved_motion
from pipeline.records import Recording
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup


def read_trial(setup: SessionSetup, trial: Trial) -> Recording:
    """A trial's recording; of joint coordinates, the subject's model moving. TrialRejected as of its reader."""
    if trial.is_solved:
        assert setup.session.scaled_model is not None
        return solved_motion(trial.path, trial.forces, setup.session.scaled_model).recording
    return read_recording(trial.path, trial.forces, setup.profile.required_labels)
