"""`deploy.toml`: what runs by itself, when, on which warehouse. Secrets are none of its business."""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from flows.ingesting.inbox import INBOX_SETTLE_S
from pipeline.session.recipe import load_recipe
from warehouse.settings_file import Checked, checked, read_toml

_SQLITE = "sqlite:///"


class Schedule(Checked):
    """When: five fields of cron, in a time zone of the IANA database."""

    cron: str
    timezone: str = "UTC"

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str) -> str:
        # What is in them Prefect checks, which is asked when the configuration is served.
        if len(value.split()) != 5:
            raise ValueError("expected five fields: minute, hour, day, month, day of the week, as '*/5 * * * *'")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("no such time zone; expected a name like 'Europe/Zurich'") from error
        return value


class InboxSchedule(Schedule):
    """Sessions that laboratories copy into a folder are ingested.

    `profiles`: folders that sessions may name profiles from, beside the packaged ones.
    """

    folder: str
    profiles: tuple[str, ...] = ()
    recipe: str = "gait2hip60"
    model: str = ""
    settle_s: Annotated[float, Field(ge=0)] = INBOX_SETTLE_S


class RegenerateSchedule(Schedule):
    """What has become stale is computed again. `recipe`: other settings than each session was ingested with."""

    recipe: str = ""


ShareBelowOne = Annotated[float, Field(ge=0, lt=1)]


class RetrainSchedule(Schedule):
    """A model is trained on all that is stored, and takes the champion's place if it is better by the rule.

    `holdout` are the subjects on whom both are compared, by code or `cohort/code`; they are held out of every training
    run. `margin` and `tolerance` are as of `models.comparing.promotion.Rule`. `tracking_uri` "" is a SQLite file in
    `runs`.
    """

    runs: str
    holdout: Annotated[tuple[str, ...], Field(min_length=3)]
    model: Literal["ridge", "lstm", "transformer", "mamba"] = "lstm"
    task: Literal["forces", "moments", "both"] = "both"
    protocol: Literal["gait2hip60", "holdout"] = "gait2hip60"
    recipe: str = "gait2hip60"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    release_name: str = "scheduled"
    tracking_uri: str = ""
    margin: ShareBelowOne = 0.02
    tolerance: ShareBelowOne = 0.05


class EvaluateSchedule(Schedule):
    """Models are tested on a release's subjects that none of them saw; pages go to a folder below `pages`.

    `runs` are folders; `champion_of` names a task whose champion is tested beside them, as `tracking_uri` knows it: the
    one of [retrain] if none is named.
    """

    release: str
    pages: str
    runs: tuple[str, ...] = ()
    champion_of: Literal["", "forces", "moments", "both"] = ""
    tracking_uri: str = ""
    cohorts: tuple[str, ...] = ()
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.runs and not self.champion_of:
            raise ValueError("names nobody to test; expected `runs`, or `champion_of` with a task")
        if len({Path(run).name for run in self.runs}) < len(self.runs):
            raise ValueError("runs: expected folders of different names, since results are told by them")
        return self


class Deploy(Checked):
    """A checked `deploy.toml`: every path is absolute."""

    format: Literal[1]
    warehouse: str
    workers: Annotated[int, Field(ge=1)] | None = None
    ingest_inbox: InboxSchedule | None = None
    regenerate: RegenerateSchedule | None = None
    retrain: RetrainSchedule | None = None
    evaluate: EvaluateSchedule | None = None

    @model_validator(mode="after")
    def _champion_is_known_somewhere(self) -> Self:
        job, retrain = self.evaluate, self.retrain
        if job is None or not job.champion_of or job.tracking_uri:
            return self
        if retrain is None:
            raise ValueError(
                "evaluate.tracking_uri is missing: without [retrain] nothing says where champions are kept"
            )
        if retrain.task != job.champion_of:
            raise ValueError(
                f"evaluate.champion_of is {job.champion_of!r}, and [retrain] keeps a champion of {retrain.task!r}: "
                "name that one, or say by evaluate.tracking_uri where the other is kept"
            )
        return self


def load_deploy(path: Path) -> Deploy:
    """Read and check a configuration and what it names. ValueError says which file, what was found and expected."""
    config = _placed_whole(path)
    if config.ingest_inbox is not None:
        load_recipe(config.ingest_inbox.recipe)
        model = config.ingest_inbox.model
        if model and not Path(model).is_file():
            raise ValueError(f"{path}: ingest_inbox.model: {model} does not exist. Correct it, or leave it out.")
        for folder in config.ingest_inbox.profiles:
            if not Path(folder).is_dir():
                raise ValueError(f"{path}: ingest_inbox.profiles: {folder} is not a folder. Make it, or leave it out.")
    if config.regenerate is not None and config.regenerate.recipe:
        load_recipe(config.regenerate.recipe)
    return config


def _placed_whole(path: Path) -> Deploy:
    if not path.is_file():
        raise ValueError(f"{path} does not exist. docs/operations.md shows one.")
    config = checked(Deploy, str(path), read_toml(path))
    here = path.absolute().parent
    updates: dict[str, object] = {"warehouse": _placed(config.warehouse, here)}
    if config.ingest_inbox is not None:
        inbox = config.ingest_inbox
        placed: dict[str, object] = {
            "folder": _placed(inbox.folder, here),
            "model": _placed(inbox.model, here),
            "profiles": tuple(_placed(folder, here) for folder in inbox.profiles),
        }
        updates["ingest_inbox"] = inbox.model_copy(update=placed | {"recipe": _recipe(inbox.recipe, here)})
    if config.regenerate is not None:
        recipe = _recipe(config.regenerate.recipe, here)
        updates["regenerate"] = config.regenerate.model_copy(update={"recipe": recipe})
    known_at = ""
    if config.retrain is not None:
        job = config.retrain
        runs = _placed(job.runs, here)
        uri = _tracked_at(job.tracking_uri, runs, here)
        changed = {"runs": runs, "recipe": _recipe(job.recipe, here), "tracking_uri": uri}
        updates["retrain"] = job.model_copy(update=changed)
        known_at = uri
    if config.evaluate is not None:
        updates["evaluate"] = _placed_evaluation(config.evaluate, here, known_at)
    return config.model_copy(update=updates)


def _placed_evaluation(job: EvaluateSchedule, here: Path, known_at: str) -> EvaluateSchedule:
    changed = {
        "release": _placed(job.release, here),
        "pages": _placed(job.pages, here),
        "runs": tuple(_placed(run, here) for run in job.runs),
        "tracking_uri": _tracked_at(job.tracking_uri, "", here) if job.tracking_uri else known_at,
    }
    return job.model_copy(update=changed)


def _tracked_at(uri: str, runs: str, here: Path) -> str:
    if not uri:
        return f"{_SQLITE}{runs}/mlruns.db"
    # Three slashes and a relative path; of an absolute one the path begins with the fourth.
    return f"{_SQLITE}{_placed(uri.removeprefix(_SQLITE), here)}" if uri.startswith(_SQLITE) else uri


def _placed(path: str, here: Path) -> str:
    return path if not path or "://" in path else str((here / Path(path).expanduser()).absolute())


def _recipe(name: str, here: Path) -> str:
    return _placed(name, here) if name.endswith(".toml") else name
