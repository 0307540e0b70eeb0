"""What one session's work is made of, as the warehouse keeps account of it: facts about files, and provenance keys."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.version import opensim_version
from pipeline.recordings.ground_forces import files_of_forces
from pipeline.recordings.text_file import STAGE
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup, open_session
from pipeline.storing.request import SessionRequest
from pipeline.storing.stages import Facts, StageAccount, brief, keys_of, packaged_data, stage_accounts
from warehouse.layout import Warehouse
from warehouse.provenance import file_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A session with its settings, and the warehouse that its results go to."""

    setup: SessionSetup
    warehouse: Warehouse

    @property
    def model(self) -> Path:
        """The session's own model, or the one that is scaled, built if need be; ValueError if it can't be."""
        return self.setup.session.scaled_model or model_file_of(self.setup.model_file)

    def session_facts(self) -> Facts:
        """What the session's stages and its trials' are made of. TrialRejected if a recording that sizes can't be read.

        Compute them once and pass them in when asking about many of a session's trials.
        """
        session = self.setup.session
        facts = {
            "model": _model_sha256(self.model),
            # What is said of the plates is a fact of its own: it changes no body.
            "profile": self.setup.profile.of_results(),
            "static": self._standing_facts(),
            "sizing": self._sizing_facts(),
            "height_m": session.subject.height_m,
            "sex": session.subject.sex,
            "mass_kg": session.subject.mass_kg,
            "subject": session.subject.model_dump(),
            "static_name": session.static.name if session.static else None,
            "n_trials": len(session.trials),
            **packaged_data(),
        }
        return {name: brief(fact) for name, fact in facts.items()}

    def _standing_facts(self) -> str | list[str]:
        """What shows the pose that each walk is compared with: the session's own model, a static trial, or walks."""
        session = self.setup.session
        if session.scaled_model:
            return _model_sha256(session.scaled_model)
        # Without a static trial the walks that size the body show it too.
        return _sha256(session.static, "scaling") if session.static else self._sizing_facts()

    def _sizing_facts(self) -> list[str]:
        """The walks that size the body, by their content; none where marker pairs do.

        TrialRejected if one can't be read: a body isn't sized anew because a disk is away.
        """
        if self.setup.recipe.scaling.method == "pairs":
            return []
        return [_sha256(trial.path, "scaling", " or `sizing`") for trial in self.setup.session.sizing_trials]

    def session_accounts(self, facts: Facts | None = None) -> dict[str, StageAccount]:
        """What the session's own stages are made of. TrialRejected if a recording that sizes the body can't be read."""
        return stage_accounts(self.setup.recipe, facts or self.session_facts(), opensim_version())

    def trial_accounts(self, name: str, session_facts: Facts | None = None) -> dict[str, StageAccount]:
        """What every stage of one trial is made of. TrialRejected if one of its files can't be read."""
        trial = self.setup.session.trial(name)
        # Its own recording first: a walk may size the body too, and is missed for itself before all.
        own = _trial_facts(trial)
        facts = {
            **(session_facts or self.session_facts()),
            "trial": brief(own),
            "condition": trial.condition,
            "kinematics_only": self.setup.session.kinematics_only,
            "plates_lag_s": self.setup.plates_lag_s,
            "plates": "; ".join(f"{number}: {how}" for number, how in self.setup.plate_corrections.items()),
        }
        return stage_accounts(self.setup.recipe, facts, opensim_version())

    def session_keys(self) -> dict[str, str]:
        """The provenance keys of the session's own stages. TrialRejected if a recording that sizes can't be read."""
        return keys_of(self.session_accounts())


def open_job(request: SessionRequest) -> Job:
    """Load and check everything a session's work needs; ValueError names the file and the setting at fault."""
    setup = open_session(request.session_file, request.recipe, request.model)
    return Job(setup=setup, warehouse=Warehouse(request.warehouse))


def _trial_facts(trial: Trial) -> str | list[str]:
    """A trial's recording by its content, and what its ground reactions are made of, if they are files of their own."""
    own = _sha256(trial.path, "read_c3d")
    if trial.forces is None:
        return own
    return [own, *(_sha256(path, STAGE, " or `forces`") for path in files_of_forces(trial.forces))]


def _model_sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise ValueError(
            f"the model {path} can't be read ({error.strerror}); give another with --model FILE."
        ) from error


def _sha256(path: Path, stage: str, or_what: str = "") -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise TrialRejected(
            stage,
            f"{path.name} can't be read ({error.strerror}). Check the file names and `recordings`{or_what} in "
            "session.toml.",
        ) from error
