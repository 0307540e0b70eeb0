import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from flows.prefect_server import local_prefect, temporary_server

# A flow with tasks, as a program: every start is that of a fresh process.
PROGRAM = """
from flows.prefect_server.local_prefect import PrefectNotStarted, start_prefect
try:
    start_prefect()
except PrefectNotStarted as error:
    raise SystemExit(f"said plainly: {error}")
from prefect import flow, task

@task
def double(number):
    return 2 * number

@flow
def doubles():
    return [future.result() for future in [double.submit(number) for number in range(5)]]

print(doubles())
"""


# The same up to where its server runs; it says where, and waits to be killed.
# A program started in the background may have been told to ignore Ctrl-C; this one listens.
WAITING = """
import signal, time
from flows.prefect_server.local_prefect import start_prefect
signal.signal(signal.SIGINT, signal.default_int_handler)
start_prefect()
import os
print("started", flush=True)
print(os.environ["PREFECT_API_URL"], os.environ["PREFECT_API_AUTH_STRING"], flush=True)
time.sleep(600)
"""


def _start(home: Path, program: str = PROGRAM, **environment: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env={**inherited, "PREFECT_HOME": str(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_processes_start_at_once_on_an_empty_home(tmp_path: Path) -> None:
    processes = [_start(tmp_path / "home") for _ in range(3)]
    ends = [process.communicate(timeout=240) for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], ends
    for output, complaints in ends:
        assert output.strip() == "[0, 2, 4, 6, 8]"
        assert complaints == ""
    assert len(list((tmp_path / "home" / "gait2hip").glob("empty-*.db"))) == 1


@pytest.mark.parametrize("obstacle", ["home is a file", "server does not answer"])
def test_a_prefect_that_does_not_start_says_why_and_what_to_do(tmp_path: Path, obstacle: str) -> None:
    if obstacle == "home is a file":
        (tmp_path / "home").touch()
        process = _start(tmp_path / "home")
        expected = "Set PREFECT_HOME to a writable folder"
    else:
        # Port 9 (discard) is where nothing answers.
        process = _start(tmp_path / "home", PREFECT_API_URL="http://127.0.0.1:9/api")
        expected = "PREFECT_API_URL"
    _, complaints = process.communicate(timeout=120)

    assert process.returncode == 1
    assert "said plainly:" in complaints
    assert expected in complaints
    assert "Traceback" not in complaints


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_the_server_and_its_database_go_with_a_process_that_is_killed(ready_home: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = _start(ready_home, WAITING, TMPDIR=str(temporary))
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    servers = psutil.Process(process.pid).children()
    assert [folder.name.startswith(".gait2hip-prefect.") for folder in temporary.iterdir()] == [True]

    process.kill()
    process.communicate()

    _, alive = psutil.wait_procs(servers, timeout=30)
    assert len(servers) == 1
    assert alive == []
    assert list(temporary.iterdir()) == []


def answer_to(url: str, headers: dict[str, str]) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, b"{}", headers), timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_only_who_knows_the_token_is_answered_and_only_on_this_machine(ready_home: Path, tmp_path: Path) -> None:
    """Who reaches a server may name code for it to run."""
    process = _start(ready_home, WAITING, TMPDIR=str(tmp_path))
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    url, token = process.stdout.readline().split()
    (server,) = psutil.Process(process.pid).children()
    try:
        known = {"Content-Type": "application/json", "Authorization": f"Basic {b64encode(token.encode()).decode()}"}
        guessed = {**known, "Authorization": "Basic " + b64encode(b"gait2hip:guess").decode()}
        flows = f"{url}/flows/filter"
        assert [answer_to(flows, headers) for headers in ({}, guessed, known)] == [401, 401, 200]
        (listening,) = [place for place in server.net_connections() if place.status == psutil.CONN_LISTEN]
        assert listening.laddr.ip == "127.0.0.1"
        assert token not in " ".join(server.cmdline() + psutil.Process(process.pid).cmdline())
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0, "a database of codes and sessions is its owner's"
        assert not any(token.encode() in file.read_bytes() for file in folder.rglob("*") if file.is_file())
        _, complaints = _start(ready_home, PREFECT_API_URL=url).communicate(timeout=120)
        assert "said plainly:" in complaints and "Set PREFECT_API_AUTH_STRING" in complaints
    finally:
        process.kill()
        process.communicate()


def test_an_interruption_from_the_keyboard_does_not_reach_the_server(ready_home: Path) -> None:
    process = _start(ready_home, WAITING)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    (server,) = psutil.Process(process.pid).children()

    server.send_signal(signal.SIGINT)
    with pytest.raises(psutil.TimeoutExpired):
        server.wait(1)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert not psutil.pid_exists(server.pid) or server.wait(30) == 0


def test_whoever_interrupts_the_start_waits_for_no_timer() -> None:
    def interrupted() -> Iterator[str]:
        yield "a library says something first\n"
        raise KeyboardInterrupt

    server = SimpleNamespace(stdout=interrupted(), kill=lambda: None)

    with pytest.raises(KeyboardInterrupt):
        local_prefect._port_of(server)  # type: ignore[arg-type]

    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert all(timer.daemon and timer.finished.is_set() for timer in timers)


def test_the_port_is_read_after_whatever_else_is_printed() -> None:
    lines = iter(["a library says something first\n", f"{temporary_server.ANSWERS_AT}4242\n"])
    server = SimpleNamespace(stdout=lines, kill=lambda: None)

    assert local_prefect._port_of(server) == 4242  # type: ignore[arg-type]
