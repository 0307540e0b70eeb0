"""Make Prefect ready to run flows: offline, quiet, and side by side with other runs on the same machine.

With `PREFECT_API_URL` (or a Prefect profile that sets it) runs go to that server. Without one, Prefect starts
a temporary server for this process; it gets a database of its own, so that runs never wait for each other's,
copied from an empty one that is migrated once per Prefect version and kept in PREFECT_HOME.
"""

import atexit
import functools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

LOCK_TIMEOUT_S = 300
MIGRATION_TIMEOUT_S = 300

# Recordings of people stay where they are: nothing is reported to anybody.
_OFFLINE_AND_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    # Prefect's own 20 s are too few on a busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
}

# A temporary server's history goes with it: the services that keep or watch it only cost time, and complain
# when the server is stopped under them.
_UNUSED_SERVICES = (
    "CANCELLATION_CLEANUP",
    "CLEANUP_RECONCILER",
    "EVENT_PERSISTER",
    "FOREMAN",
    "LATE_RUNS",
    "PAUSE_EXPIRATIONS",
    "REPOSSESSOR",
    "SCHEDULER",
    "TASK_RUN_RECORDER",
    "TRIGGERS",
)


class PrefectNotStarted(Exception):
    """Prefect could not be made ready; the message says what was tried and what to do."""


@functools.cache
def start_prefect() -> None:
    """Make Prefect ready, once per process, before anything imports it. PrefectNotStarted if it can't be."""
    for name, value in _OFFLINE_AND_QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import prefect
        from prefect.settings import get_current_settings
    except ImportError as error:
        raise PrefectNotStarted(
            f"Prefect can't be imported ({error}). Install it: pip install 'gait2hip[flows]'."
        ) from error
    settings = get_current_settings()
    if settings.api.url is not None:
        _check_api(f"The server at {settings.api.url} (PREFECT_API_URL) does not answer")
        return
    folder = settings.home / "gait2hip"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(folder / "start.lock"):
            _use_private_database(_empty_database(folder, prefect.__version__))
            with _deaf_to_interrupts():
                _check_api("Prefect's temporary server did not start")
    except (OSError, sqlite3.Error) as error:
        raise PrefectNotStarted(
            f"Prefect can't be set up in {folder}: {error}. Set PREFECT_HOME to a writable folder."
        ) from error


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    # Two temporary servers that start at once can choose the same port, and two migrations the same tables.
    # SQLite's lock works on every system and ends with the process that holds it.
    with closing(sqlite3.connect(lock, timeout=LOCK_TIMEOUT_S, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    # A process inherits the signals its maker blocks. Ctrl-C reaches everything in the foreground: a server
    # that stops at once leaves this process asking it, again and again, to note the interruption.
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _empty_database(folder: Path, version: str) -> Path:
    """An empty, migrated database of this Prefect version, made if it isn't there."""
    database = folder / f"empty-{version}.db"
    if database.is_file():
        return database
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        fresh = Path(directory) / "prefect.db"
        made = subprocess.run(
            [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"],
            env={**os.environ, "PREFECT_SERVER_DATABASE_CONNECTION_URL": _url(fresh)},
            capture_output=True,
            text=True,
            timeout=MIGRATION_TIMEOUT_S,
            check=False,
        )
        if made.returncode != 0:
            raise PrefectNotStarted(
                f"Prefect's database can't be made in {folder}: `prefect server database upgrade` gave "
                f"exit code {made.returncode} and said: {made.stderr.strip()[-2000:]}"
            )
        fresh.replace(database)
    return database


def _use_private_database(empty: Path) -> None:
    directory = Path(tempfile.mkdtemp(prefix="gait2hip-prefect-"))
    # The server lives as long as this process. Exit functions run last in, first out: it stops first.
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    shutil.copyfile(empty, directory / "prefect.db")
    os.environ.update(
        {
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": _url(directory / "prefect.db"),
            "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
            "PREFECT_SERVER_MEMO_STORE_PATH": str(directory / "memo_store.toml"),
            "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
            "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "",
            **{f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false" for service in _UNUSED_SERVICES},
        }
    )


def _url(database: Path) -> str:
    return f"sqlite+aiosqlite:///{database.as_posix()}"


def _check_api(what_failed: str) -> None:
    from prefect.client.orchestration import get_client

    try:
        with get_client(sync_client=True) as client:
            problem = client.api_healthcheck()
    except RuntimeError as error:
        problem = error
    if problem is not None:
        raise PrefectNotStarted(f"{what_failed}: {type(problem).__name__}: {problem}")
