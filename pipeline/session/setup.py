"""A session and what it is processed by, loaded and checked together."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.session.load_profile import load_profile, takes_labels_from_recordings, telling_recordings
from pipeline.session.profile import PlateCorrection, Profile
from pipeline.session.recipe import Recipe, load_recipe
from pipeline.session.session import Session, load_session
from pipeline.session.standing import shown_labels
from warehouse.provenance import file_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSetup:
    """A session, the recipe and the laboratory's profile. `model_file` None means the built-in model."""

    session: Session
    recipe: Recipe
    profile: Profile
    model_file: Path | None

    @property
    def plates_lag_s(self) -> float | None:
        """How late the plates are against the cameras, as the session or else the profile states; None: unstated."""
        own = self.session.plates_lag_s
        return self.profile.plates_lag_s if own is None else own

    @property
    def plate_corrections(self) -> dict[int, PlateCorrection]:
        """What is put right of each plate, by its number: what the session says of it, or else the profile."""
        return {int(number): how for number, how in {**self.profile.plates, **self.session.plates}.items()}

    def refuse_other_model(self, model: Path) -> None:
        """ValueError if the profile's places are on another model than this file."""
        wanted = self.profile.model_sha256
        if wanted and wanted != (found := file_sha256(model)):
            raise ValueError(
                f"{self.session.file}: profile {self.profile.name} has the places of {self.profile.source} (SHA-256 "
                f"{wanted[:12]}…), and the model used is {model.name} ({found[:12]}…). Name the one with --model, in "
                f"the recipe or as `scaled_model`, or make a profile of {model.name}: gait2hip profile --markers-from."
            )


def open_session(session_file: str, recipe: str, model_file: str | None) -> SessionSetup:
    """Load and check everything a session's work needs; ValueError names the file and the setting at fault.

    `recipe` is a packaged recipe's name or a file; `model_file` goes before the model that the recipe names.
    """
    session = load_session(Path(session_file))
    if session.static and not session.static.is_file():
        raise ValueError(
            f"{session.file}: the static trial {session.static} does not exist. Correct `static` or `recordings`; "
            "without a static trial, leave `static` out, and walks alone size the body."
        )
    settings = load_recipe(recipe)
    if session.scaled_model and not session.scaled_model.is_file():
        raise ValueError(f"{session.file}: the model {session.scaled_model} does not exist. Correct `scaled_model`.")
    if not session.static and not session.scaled_model and settings.scaling.method == "pairs":
        raise ValueError(
            f"{session.file}: there is no static trial, and recipe {settings.name} sizes bodies by marker pairs, which "
            'are measured in one. Name it as `static`, or set [scaling] method = "posterior".'
        )
    return SessionSetup(
        session=session,
        recipe=settings,
        profile=_profile(session),
        model_file=_named_model(model_file or settings.model.file),
    )


def _profile(session: Session) -> Profile:
    try:
        if not takes_labels_from_recordings(session.profile):
            return load_profile(session.profile)
        return load_profile(session.profile, telling_recordings(_recorded_labels(session)))
    except ValueError as error:
        raise ValueError(f"{session.file}: {error} Correct `profile`, or the profile's own file.") from error


def _recorded_labels(session: Session) -> list[frozenset[str]]:
    """The labels that the static trial and the walks that size the body show: those of them that can be read.

    Where these are listed, other walks change no profile: what is stored stays what it was when another comes.
    """
    walks = session.sizing_trials or tuple(trial for trial in session.trials if not trial.is_solved)
    paths = ([session.static] if session.static else []) + [trial.path for trial in walks]
    found = []
    for path in paths:
        try:
            found.append(_labels_of(path))
        except TrialRejected:
            continue
    if not found:
        raise ValueError(
            "none of the recordings that tell the labels can be read."
            if paths
            else "joint coordinates tell no labels: name a profile of the model's own markers."
        )
    return found


def _labels_of(path: Path) -> frozenset[str]:
    """The labels that a recording shows; those that it lists, if its frames can't be read. TrialRejected if neither."""
    # Plans are made where no recording can be read: of other profiles.
    from pipeline.recordings.read_recording import labels_in

    try:
        content = path.stat()
        return _shown_in(path, content.st_mtime_ns, content.st_size)
    except (OSError, TrialRejected):
        return frozenset(labels_in(path))


# A session is opened for each of its trials.
@lru_cache(maxsize=256)
def _shown_in(path: Path, _mtime_ns: int, _size: int) -> frozenset[str]:
    from pipeline.recordings.read_recording import read_recording

    return frozenset(shown_labels(read_recording(path)))


def _named_model(name: str | None) -> Path | None:
    if not name:
        return None
    path = Path(name)
    if not path.is_file():
        raise ValueError(
            f"the model {path} does not exist; give the path of an .osim file, or no model for the built-in one."
        )
    return path
