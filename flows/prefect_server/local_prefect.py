"""Make Prefect ready to run flows: offline, quiet, and side by side with other runs on the same machine.

With `PREFECT_API_URL` (or a Prefect profile that sets it) runs go to that server. Without one, this process gets a
temporary server of its own (Prefect's outlives a process that is killed); it has a database of its own, so that runs
never wait for each other's, copied from an empty one that is migrated once per Prefect version and kept in
PREFECT_HOME.

Whoever reaches a Prefect server can have it run code. A temporary one listens on this machine alone and answers only
those who know its token, which is random and in the environment of this process's children: not in a file, and in no
command line.
"""

import atexit
import contextlib
import functools
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from flows.prefect_server import temporary_server
from warehouse.layout import temporary_path

LOCK_TIMEOUT_S = 300
MIGRATION_TIMEOUT_S = 300
# Prefect's own 20 s are too few on a busy machine.
STARTUP_TIMEOUT_S = 180
SHUTDOWN_TIMEOUT_S = 10
# HTTP's answer to who doesn't say who they are.
UNAUTHORIZED = 401

# Recordings of people stay where they are: nothing is reported to anybody.
_OFFLINE_AND_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}

# A temporary server's history goes with it: the services that keep or watch it only cost time, and complain when the
# server is stopped under them.
_SERVICES = (
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
# What turns schedules into runs, looks after runs that are late or were cancelled, and takes back a killed run's place
# under a limit.
SCHEDULING = frozenset({"CANCELLATION_CLEANUP", "FOREMAN", "LATE_RUNS", "REPOSSESSOR", "SCHEDULER"})


class PrefectNotStarted(Exception):
    """Prefect could not be made ready; the message says what was tried and what to do."""


@functools.cache
def start_prefect(services: frozenset[str] = frozenset()) -> bool:
    """Make Prefect ready, once per process, before anything imports it; whether the server is this process's own.

    `services` are those that a temporary server runs beside answering. PrefectNotStarted if it can't be made ready.
    """
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
        return False
    folder = settings.home / "gait2hip"
    try:
        # Who may open a lock may also hold it.
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _one_at_a_time(folder / "start.lock"):
            empty = _empty_database(folder, prefect.__version__)
        _start_server(empty, services)
        return True
    except (OSError, sqlite3.Error) as error:
        raise PrefectNotStarted(
            f"Prefect can't be set up: {error}. Free some space if a disk is full. Set PREFECT_HOME to a writable "
            f"folder (it is {settings.home}), or TMPDIR (it is {tempfile.gettempdir()})."
        ) from error


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    # Two processes must not migrate the same tables. SQLite's lock works on every system and ends with its process.
    with closing(sqlite3.connect(lock, timeout=LOCK_TIMEOUT_S, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


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


def _start_server(empty: Path, services: frozenset[str]) -> None:
    """Start a server on a copy of the empty database, and have this process's Prefect use it."""
    directory = temporary_path(Path(tempfile.gettempdir()) / "gait2hip-prefect")
    # Its database names people's codes and sessions.
    directory.mkdir(mode=0o700)
    token = f"gait2hip:{secrets.token_urlsafe(32)}"
    try:
        shutil.copyfile(empty, directory / "prefect.db")
    except OSError:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    server = subprocess.Popen(
        # -P: the modules beside it are not for `import`.
        [sys.executable, "-P", temporary_server.__file__, str(directory)],
        env={**os.environ, **_server_settings(directory, services), "PREFECT_SERVER_API_AUTH_STRING": token},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(_stop_server, server)
    # Meanwhile, so that what runs a flow is loaded when the server answers.
    import prefect.flow_engine
    import prefect.task_runners  # noqa: F401
    from prefect.context import refresh_global_settings_context
    from prefect.events.clients import NullEventsClient
    from prefect.events.worker import EventsWorker

    os.environ["PREFECT_API_URL"] = f"http://{temporary_server.HOST}:{_port_of(server)}/api"
    os.environ["PREFECT_API_AUTH_STRING"] = token
    # It serves no pages: a link to one would lead nowhere.
    os.environ["PREFECT_UI_URL"] = ""
    refresh_global_settings_context()
    # Nobody listens on a server that is this process's alone, and a busy machine complains of what isn't sent yet.
    EventsWorker.set_client_override(NullEventsClient)


def _port_of(server: subprocess.Popen[str]) -> int:
    """Where a server answers, once it does."""
    assert server.stdout is not None, "it is a pipe"
    late = threading.Timer(STARTUP_TIMEOUT_S, server.kill)
    # Whoever interrupts the start waits for nothing.
    late.daemon = True
    late.start()
    try:
        for line in server.stdout:
            if line.startswith(temporary_server.ANSWERS_AT):
                return int(line.removeprefix(temporary_server.ANSWERS_AT))
    finally:
        late.cancel()
    raise PrefectNotStarted(
        f"Prefect's temporary server ended with exit code {server.wait()}; what it said is above. Is "
        f"{tempfile.gettempdir()} full? Free some space there, or set TMPDIR to another folder. A server that does "
        f"not answer within {STARTUP_TIMEOUT_S} s is ended."
    )


def _server_settings(directory: Path, services: frozenset[str]) -> dict[str, str]:
    return {
        # A server that is called ephemeral runs no services at all.
        "PREFECT__SERVER_EPHEMERAL": "" if services else "1",
        "PREFECT__SERVER_FINAL": "1",
        "PREFECT_UI_ENABLED": "0",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": _url(directory / "prefect.db"),
        "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
        "PREFECT_SERVER_MEMO_STORE_PATH": str(directory / "memo_store.toml"),
        "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "",
        **{f"PREFECT_SERVER_SERVICES_{name}_ENABLED": str(name in services).lower() for name in _SERVICES},
    }


def _stop_server(server: subprocess.Popen[str]) -> None:
    # Its standard input's end tells it to go, and to take its folder along.
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.communicate(timeout=SHUTDOWN_TIMEOUT_S)
        return
    server.kill()


def _url(database: Path) -> str:
    return f"sqlite+aiosqlite:///{database.as_posix()}"


def _check_api(what_failed: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectHTTPStatusError

    try:
        with get_client(sync_client=True) as client:
            problem = client.api_healthcheck()
            if problem is None:
                # Its health is told to everybody.
                client.read_flows(limit=1)
    except (RuntimeError, PrefectHTTPStatusError) as error:
        problem = error
    if isinstance(problem, PrefectHTTPStatusError) and problem.response.status_code == UNAUTHORIZED:
        raise PrefectNotStarted(f"{what_failed}: it asks for a token. Set PREFECT_API_AUTH_STRING to the server's.")
    if problem is not None:
        raise PrefectNotStarted(f"{what_failed}: {type(problem).__name__}: {problem}")
