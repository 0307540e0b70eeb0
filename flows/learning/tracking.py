"""The one door to MLflow: what was trained from what, how it went, and which model is the champion.

A local SQLite file by default, any MLflow server by its address. MLflow is an optional extra (`track`): it is loaded
when something is tracked, and its telemetry is switched off.
"""

import logging
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from models.scoring.report import Report
    from models.training.network_training import TrainingProgress

DEFAULT_URI = "sqlite:///mlruns.db"
EXPERIMENT = "gait2hip"
CHAMPION, CHALLENGER = "champion", "challenger"
_FOLLOWS = "gait2hip.follows"  # a champion's tag: the number of the one before
RUN_FOLDER = "run"  # where a run's folder lies among its artefacts
_SQLITE = "sqlite:///"
_MOST_METRICS = 1000  # in one call, says MLflow's server

# Set only where nobody chose otherwise. A server that does not answer is told of after seconds, not minutes.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


class NotInstalled(ValueError):
    """MLflow is not here."""


class TrackingError(Exception):
    """MLflow or its database failed."""


def is_installed() -> bool:
    """Whether MLflow is here; it is not loaded."""
    return find_spec("mlflow") is not None and find_spec("sqlalchemy") is not None


@dataclass(slots=True, kw_only=True)
class TrackedRun:
    """One training in MLflow. After it has begun nothing of it ends a training: `problems` says what went wrong."""

    client: "MlflowClient"
    run_id: str
    problems: list[str] = field(default_factory=list)

    def curve(self, number: int, facts: "TrainingProgress") -> None:
        """A training's losses by epoch, as `training-0001/train_loss` and `…/validation_loss`."""
        values = {}
        for point in facts.curve:
            values[f"training-{number:04d}/train_loss", point.epoch] = point.train_loss
            if point.validation_loss is not None:
                values[f"training-{number:04d}/validation_loss", point.epoch] = point.validation_loss
        self._log(values)

    def result(self, report: "Report", folder: Path) -> None:
        """The test's figures as `forces/rmse/lstm`, the verdict, and the run's folder as artefacts."""
        self._log(
            {(f"{part.kind}/rmse/{card.model}", 0): part.rmse for card in report.scorecards for part in card.kinds}
        )
        with self._harmless():
            self.client.set_tag(self.run_id, "verdict", report.verdict)
            self.client.log_artifacts(self.run_id, str(folder), RUN_FOLDER)

    def end(self, status: str) -> None:
        """`FINISHED`, `FAILED` or `KILLED`, in MLflow's words."""
        with self._harmless():
            self.client.set_terminated(self.run_id, status)

    def _log(self, values: Mapping[tuple[str, int], float]) -> None:
        from mlflow.entities import Metric

        now_ms = int(time.time() * 1000)
        metrics = [Metric(key, value, now_ms, step) for (key, step), value in values.items()]
        with self._harmless():
            for start in range(0, len(metrics), _MOST_METRICS):
                self.client.log_batch(self.run_id, metrics=metrics[start : start + _MOST_METRICS])

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        try:
            with _mlflow_errors():
                yield
        except TrackingError as error:
            self.problems.append(str(error))


def begin_run(uri: str, name: str, parameters: Mapping[str, object]) -> TrackedRun:
    """A new run in MLflow with its parameters and the program's version and git revision.

    NotInstalled without MLflow; ValueError if nothing can be tracked there.
    """
    with _explained(uri):
        from mlflow.entities import Param

        client = _client(uri)
        tags = {"gait2hip.version": _version(), **_git_revision()}
        run = client.create_run(_experiment(client, uri), tags=tags, run_name=name)
        client.log_batch(run.info.run_id, params=[Param(*entry) for entry in _flat(parameters).items()])
    return TrackedRun(client=client, run_id=run.info.run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a registered model, and the run in MLflow that it came from."""

    name: str
    number: str
    run_id: str


def registered_name(task: str) -> str:
    """What models of a task are registered as."""
    return f"gait2hip-{task}"


def register(uri: str, name: str, run_id: str) -> Version:
    """The run's model as the next version of a registered model, which is made if there is none."""
    with _explained(uri):
        from mlflow.exceptions import MlflowException

        client = _client(uri)
        try:
            client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            client.create_registered_model(name)
        source = f"{client.get_run(run_id).info.artifact_uri}/{RUN_FOLDER}"
        made = client.create_model_version(name, source=source, run_id=run_id)
    return Version(name=name, number=str(made.version), run_id=run_id)


def call(uri: str, version: Version, alias: str) -> None:
    """Gives a version an alias, `champion` or `challenger`: from now on no other version has it."""
    with _explained(uri):
        _client(uri).set_registered_model_alias(version.name, alias, version.number)


def called(uri: str, name: str, alias: str) -> Version | None:
    """The version with this alias; None if there is none."""
    with _explained(uri):
        from mlflow.exceptions import MlflowException

        try:
            registered = _client(uri).get_model_version_by_alias(name, alias)
        except MlflowException as error:
            # An alias that nobody has is an "invalid parameter", a model that nobody registered "does not exist".
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            return None
    return Version(name=name, number=str(registered.version), run_id=str(registered.run_id))


def crown(uri: str, version: Version, follows: str | None = None) -> None:
    """Makes a version the champion and keeps which one it follows: the present one if none is named."""
    before = called(uri, version.name, CHAMPION)
    call(uri, version, CHAMPION)
    number = follows or (before and before.number)
    if number is not None and number != version.number:
        with _explained(uri):
            _client(uri).set_model_version_tag(version.name, version.number, _FOLLOWS, number)


def was_crowned(uri: str, version: Version) -> bool:
    """Whether a version has ever followed a champion, whoever is it now."""
    with _explained(uri):
        return _FOLLOWS in _client(uri).get_model_version(version.name, version.number).tags


def roll_back(uri: str, name: str) -> Version:
    """Makes the version that the champion followed the champion again. ValueError if it followed none."""
    now = called(uri, name, CHAMPION)
    if now is None:
        raise ValueError(f"{name} has no champion at {uri}: there is nothing to roll back.")
    with _explained(uri):
        client = _client(uri)
        number = client.get_model_version(name, now.number).tags.get(_FOLLOWS)
    if number is None:
        raise ValueError(f"version {now.number} of {name} followed no other champion: promote another by its number.")
    before = version_of(uri, name, number)
    call(uri, before, CHAMPION)
    return before


def version_of(uri: str, name: str, number: str) -> Version:
    """A registered version by its number. ValueError if there is none."""
    known = {version.number: version for version in versions(uri, name)}
    if number not in known:
        raise ValueError(f"{name} has no version {number} at {uri}; it has {', '.join(known) or 'none'}.")
    return known[number]


def versions(uri: str, name: str) -> list[Version]:
    """All versions of a registered model, oldest first; none if it is not registered."""
    with _explained(uri):
        registered = _client(uri).search_model_versions(f"name = '{name}'")
    return sorted(
        (Version(name=name, number=str(one.version), run_id=str(one.run_id)) for one in registered),
        key=lambda version: int(version.number),
    )


def verdict_of(uri: str, version: Version) -> tuple[str, str]:
    """The name of the run that a version came from, and its test's verdict."""
    with _explained(uri):
        run = _client(uri).get_run(version.run_id)
    return str(run.info.run_name), run.data.tags.get("verdict", "")


def keep_text(uri: str, version: Version, name: str, text: str) -> None:
    """Puts a text among the artefacts of a version's run."""
    with _explained(uri):
        _client(uri).log_text(version.run_id, text, name)


def fetch(uri: str, version: Version, into: Path) -> Path:
    """The version's run folder, copied below an existing folder."""
    with _explained(uri):
        return Path(_client(uri).download_artifacts(version.run_id, RUN_FOLDER, str(into)))


def _client(uri: str) -> "MlflowClient":
    from mlflow import MlflowClient

    # What it says of the tables that it makes is no news to anybody here.
    for chatty in ("mlflow.store.db.utils", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _experiment(client: "MlflowClient", uri: str) -> str:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is not None:
        return str(experiment.experiment_id)
    # Beside a SQLite file; a server knows by itself where artefacts go.
    beside = Path(uri.removeprefix(_SQLITE)).absolute().with_suffix("") if uri.startswith(_SQLITE) else None
    return str(client.create_experiment(EXPERIMENT, artifact_location=None if beside is None else beside.as_uri()))


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        with _mlflow_errors():
            yield
    except TrackingError as error:
        raise ValueError(f"can't track at {uri}: {error}. Name another --tracking-uri, or --no-track.") from error


@contextmanager
def _mlflow_errors() -> Iterator[None]:
    """Every way in which MLflow says that it failed, as a TrackingError."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise NotInstalled("MLflow is not installed: pip install 'gait2hip[track]', or use --no-track.") from error
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        # The first line names the cause; what follows is SQL.
        raise TrackingError(str(error).splitlines()[0]) from error


def _flat(entries: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in entries.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: str(value)}
    return flat


def _version() -> str:
    from importlib.metadata import version

    return version("gait2hip")


def _git_revision() -> dict[str, str]:
    """The revision of this file's checkout, and whether anything was changed since; {} where it is installed."""
    here = Path(__file__)

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(here.parent), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        # An installed copy may lie inside somebody's own repository, whose revision says nothing of this program.
        git("ls-files", "--error-unmatch", here.name)
        changed = bool(git("status", "--porcelain", "--untracked-files=no"))
        return {"mlflow.source.git.commit": git("rev-parse", "HEAD"), "git.uncommitted_changes": str(changed).lower()}
    except (OSError, subprocess.CalledProcessError):
        return {}
