"""What one session's work is made from: its files, settings and model, checked together, and the keys they give."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.osim.models.default_model import cache_folder, default_model_file
from pipeline.osim.version import opensim_version
from pipeline.session.profile import Profile, load_profile
from pipeline.session.recipe import Recipe, load_recipe
from pipeline.session.session import Session, load_session
from pipeline.storing.stages import Facts, StageAccount, brief, keys_of, stage_accounts
from warehouse.layout import Warehouse
from warehouse.provenance import file_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A session, how it is to be processed, and where the results go. `model_file` None means the built-in model."""

    session: Session
    recipe: Recipe
    profile: Profile
    model_file: Path | None
    warehouse: Warehouse

    @property
    def model(self) -> Path:
        """The musculoskeletal model: the file that was named, else the built-in one, which may have to be built.

        ValueError if that can't be written.
        """
        return self.model_file or default_model_file(cache_folder())

    def session_facts(self) -> Facts:
        """What the session's stages and its trials' are made of. TrialRejected if the static trial can't be read.

        Who asks about many of a session's trials makes these once, and gives them along.
        """
        facts = {
            "model": _model_sha256(self.model),
            "profile": self.profile.model_dump(),
            "static": _sha256(self.session.static, "scaling"),
            "mass_kg": self.session.subject.mass_kg,
            "subject": self.session.subject.model_dump(),
            "static_name": self.session.static.name,
            "n_trials": len(self.session.trials),
        }
        return {name: brief(fact) for name, fact in facts.items()}

    def session_accounts(self, facts: Facts | None = None) -> dict[str, StageAccount]:
        """What the session's own stages are made of. TrialRejected if the static trial can't be read."""
        return stage_accounts(self.recipe, facts or self.session_facts(), opensim_version())

    def trial_accounts(self, name: str, session_facts: Facts | None = None) -> dict[str, StageAccount]:
        """What every stage of one trial is made of. TrialRejected if one of its files can't be read."""
        trial = self.session.trial(name)
        facts = {
            **(session_facts or self.session_facts()),
            "trial": _sha256(trial.path, "read_c3d"),
            "height_m": self.session.subject.height_m,
            "condition": trial.condition,
        }
        return stage_accounts(self.recipe, facts, opensim_version())

    def session_keys(self) -> dict[str, str]:
        """The provenance keys of the session's own stages. TrialRejected if the static trial can't be read."""
        return keys_of(self.session_accounts())

    def trial_keys(self, name: str) -> dict[str, str]:
        """The provenance key of every stage of one trial. TrialRejected if one of its files can't be read."""
        return keys_of(self.trial_accounts(name))


def open_job(session_file: str, recipe: str, model_file: str | None, warehouse_root: str) -> Job:
    """Load and check everything a session's work needs; ValueError names the file and the setting at fault."""
    session = load_session(Path(session_file))
    if not session.static.is_file():
        raise ValueError(
            f"{session.file}: the static trial {session.static} does not exist; nothing else tells the subject's size. "
            "Correct `static` or `recordings`."
        )
    settings = load_recipe(recipe)
    return Job(
        session=session,
        recipe=settings,
        profile=_profile(session),
        model_file=_named_model(model_file, settings),
        warehouse=Warehouse(warehouse_root),
    )


def _profile(session: Session) -> Profile:
    try:
        return load_profile(session.profile)
    except ValueError as error:
        raise ValueError(f"{session.file}: {error} Correct `profile`, or the profile's own file.") from error


def _named_model(model_file: str | None, recipe: Recipe) -> Path | None:
    named = model_file or recipe.model.file
    if not named:
        return None
    path = Path(named)
    if not path.is_file():
        raise ValueError(
            f"the model {path} does not exist; give the path of an .osim file, or no model for the built-in one."
        )
    return path


def _model_sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise ValueError(
            f"the model {path} can't be read ({error.strerror}); give another with --model FILE."
        ) from error


def _sha256(path: Path, stage: str) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise TrialRejected(
            stage,
            f"{path.name} can't be read ({error.strerror}). Check the file names and `recordings` in session.toml.",
        ) from error
