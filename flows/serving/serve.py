"""`gait2hip serve`: the configured flows by their schedules, in one program that needs no other.

Nothing but the warehouse, the inbox's reports and the runs' folder remembers anything: killed and started again, the
schedules go on, and what was interrupted is finished by its next run.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cronsim import CronSim

from flows.prefect_server.lifeline import lifeline
from flows.prefect_server.local_prefect import SCHEDULING, start_prefect
from flows.serving.deploy_config import Deploy, Schedule
from pipeline.user_cache import CACHE_VARIABLE, cache_folder


class AlreadyServed(ValueError):
    """Another program serves this warehouse."""


class NotDone(ValueError):
    """Some of what was to be done was not."""


def serve(config: Deploy, tell: Callable[[str], None] = print) -> None:
    """Run until ended by a signal. AlreadyServed, ValueError for a schedule that is none, PrefectNotStarted.

    With `PREFECT_API_URL` the schedules and their history are that server's, else a temporary one's. `tell` is given
    what is served, and when each part of it is next at work.
    """
    # First, since Prefect takes a while to start.
    with _only_one(config.warehouse, cache_folder()):
        _serve(config, tell)


def _serve(config: Deploy, tell: Callable[[str], None]) -> None:
    _tell_what_happens()
    ours = start_prefect(SCHEDULING)
    # Prefect reads its settings when it is first imported.
    from prefect import serve as serve_deployments
    from prefect.settings import get_current_settings

    from flows.serving.deployments import deployments_of, one_at_a_time_on_the_gpu

    deployments = deployments_of(config)
    if ours:
        one_at_a_time_on_the_gpu()
    home = get_current_settings().home / "gait2hip"
    # With somebody else's server nobody has made it yet.
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    tell(what_is_served(config, datetime.now().astimezone()))
    with lifeline(home / f"{_name_of(config.warehouse)}.pipe"):
        # Prefect looks for each flow's modules in this folder first, which may hold a warehouse of that very name.
        os.chdir(home)
        # Not paused when it ends: what starts next makes them anew, and another may be serving them already.
        serve_deployments(*deployments, pause_on_shutdown=False, print_starting_message=False, limit=len(deployments))


def what_is_served(config: Deploy, now: datetime) -> str:
    """The warehouse, and each flow with what it looks at and when it next does; `now` has a time zone."""
    jobs: list[tuple[str, Schedule]] = []
    if config.ingest_inbox is not None:
        jobs.append((f"takes sessions from {config.ingest_inbox.folder}", config.ingest_inbox))
    if config.regenerate is not None:
        jobs.append(("computes again what is stale", config.regenerate))
    if config.retrain is not None:
        jobs.append((f"trains a challenger into {config.retrain.runs}", config.retrain))
    if config.evaluate is not None:
        jobs.append((f"tests models on {config.evaluate.release}", config.evaluate))
    lines = [f"  next at {_next_run(job, now):%Y-%m-%d %H:%M} ({job.timezone}): {what}" for what, job in jobs]
    return "\n".join([f"serving {config.warehouse} until it is ended (Ctrl-C):", *lines])


def _next_run(job: Schedule, now: datetime) -> datetime:
    return next(CronSim(job.cron, now.astimezone(ZoneInfo(job.timezone))))


def run_once(config: Deploy) -> None:
    """Run every configured flow now, one after another: for cron, and for trying a configuration.

    NotDone at the end names those that failed or left something undone.
    """
    _tell_what_happens()
    start_prefect()
    from flows.serving.deployments import flows_of

    problems = []
    for flow, parameters, _ in flows_of(config):
        try:
            flow(**parameters)
        except Exception as error:
            # The others have nothing to do with it. Prefect has logged where it came from.
            problems.append(f"{flow.name}: {type(error).__name__}: {error}")
    if problems:
        raise NotDone("\n".join(problems))


def _name_of(warehouse: str) -> str:
    """What a warehouse's files in Prefect's folder are called, by whatever path it was named."""
    place = warehouse if "://" in warehouse else str(Path(warehouse).resolve())
    return f"serve-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def _tell_what_happens() -> None:
    # Of a command that somebody waits for only warnings are news; of a program that works alone, what it did.
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "INFO")


@contextmanager
def _only_one(warehouse: str, folder: Path) -> Iterator[None]:
    """Two on one machine would do no harm and be of no use. SQLite's lock ends with the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / f"{_name_of(warehouse)}.lock"
    with closing(sqlite3.connect(lock, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise ValueError(
                    f"{lock} can't be locked: {error}. Name another folder in {CACHE_VARIABLE}."
                ) from error
            raise AlreadyServed(f"another `gait2hip serve` is running for {warehouse}: end that one first.") from error
        yield
