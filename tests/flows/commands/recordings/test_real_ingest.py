"""`gait2hip ingest` on a real session, as a person runs it."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from flows.cli import app

pytestmark = [pytest.mark.osim, pytest.mark.data]


@pytest.fixture(scope="module")
def session(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("session") / "session.toml"
    result = CliRunner().invoke(
        app,
        [
            "init-session", str(shared_data / "walking_adults" / "2014001"), "--subject", "2014001",
            "--mass-kg", "67", "--height-m", "1.66", "--sex", "M", "--age-y", "31", "--cohort", "adults",
            "--condition", "*_C4_*=preferred", "--condition", "*_C5_*=fast", "-o", str(file),
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return file


def _start(session: Path, warehouse: Path) -> subprocess.Popen[str]:
    program = shutil.which("gait2hip", path=str(Path(sys.executable).parent))
    assert program is not None
    return subprocess.Popen(
        [program, "ingest", str(session), "--warehouse", str(warehouse)],
        cwd=session.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _end(run: subprocess.Popen[str]) -> str:
    output, complaints = run.communicate(timeout=900)
    assert complaints == ""
    return output


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _calls_of(process: subprocess.Popen[str]) -> dict[str, psutil.Process]:
    """The workers that are at a call, by the call's folder. They are what the fork server made."""
    try:
        servers = [
            child for child in psutil.Process(process.pid).children() if "forkserver" in " ".join(child.cmdline())
        ]
        workers = [worker for server in servers for worker in server.children()]
        return {worker.cwd(): worker for worker in workers if "gait2hip" in Path(worker.cwd()).name}
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return {}  # One of them ended while it was looked at.


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_a_killed_worker_costs_its_trial_which_the_next_run_makes_good_and_the_third_has_nothing_to_do(
    session: Path, tmp_path: Path
) -> None:
    warehouse = tmp_path / "warehouse"
    run = _start(session, warehouse)
    _worker_at_a_trial(run, warehouse).send_signal(signal.SIGKILL)

    first = _end(run)
    assert first.count("the worker process crashed (signal SIGKILL)") == 1
    assert "0 of 2 were up to date" in first
    assert "SIGKILL" in CliRunner().invoke(app, ["status", "--warehouse", str(warehouse)]).stdout

    second = _end(_start(session, warehouse))
    assert "SIGKILL" not in second
    assert "1 of 2 were up to date" in second
    before = _hashes(warehouse)

    third = _end(_start(session, warehouse))
    assert "2 of 2 were up to date" in third
    assert _hashes(warehouse) == before
    assert {path.name for path in session.parent.iterdir()} == {session.name}


def _worker_at_a_trial(run: subprocess.Popen[str], warehouse: Path) -> psutil.Process:
    """A worker that is at the same call twice after the session's model was scaled: that is a trial."""
    deadline, before = time.monotonic() + 300, dict[str, psutil.Process]()
    while True:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        now = _calls_of(run) if list(warehouse.glob("sessions/*/*/*.parquet")) else {}
        for folder in now.keys() & before.keys():
            return now[folder]
        before = now
        # A trial takes half a second where nothing else runs.
        time.sleep(0.05)


def test_recordings_are_only_read(shared_data: Path, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    shutil.copytree(shared_data / "walking_adults" / "2014001", recordings)
    before = _hashes(recordings)

    result = CliRunner().invoke(
        app, ["init-session", str(recordings), "--subject", "S01", "-o", str(tmp_path / "session.toml")]
    )

    assert result.exit_code == 0, result.stderr
    assert "to do:" in result.stdout
    assert "mass_kg" in result.stdout
    assert _hashes(recordings) == before
    refused = CliRunner().invoke(
        app,
        ["ingest", str(tmp_path / "session.toml"), "--warehouse", str(tmp_path / "w")],
    )
    assert refused.exit_code == 2
    assert "mass_kg" in refused.stderr
    assert not (tmp_path / "w").exists()
