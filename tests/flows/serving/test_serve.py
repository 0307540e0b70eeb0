"""One program serves a warehouse, and what fails in one section is told at the end and stops no other."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from flows.serving import serve
from flows.serving.deploy_config import load_deploy
from flows.serving.serve import AlreadyServed, NotDone, run_once
from tests.flows.ingesting.test_inbox import copy_session
from tests.flows.serving.test_deploy_config import WHOLE, write

STUBS, ROOT = Path(__file__).parents[1], Path(__file__).parents[3]
HAPPENS_WITHIN_S = 400
ENDS_WITHIN_S = 60

INBOX = """
format = 1
warehouse = "warehouse"
workers = 1
[ingest_inbox]
folder = "inbox"
cron = "* * * * *"
settle_s = 0.1
"""

# What is served: every eight seconds instead of every minute, and by a chain without science.
SERVE = """
import sys
from datetime import timedelta
from pathlib import Path
from flows.serving.deploy_config import load_deploy
from flows.prefect_server.local_prefect import SCHEDULING, start_prefect
from flows.serving.serve import AlreadyServed, serve
start_prefect(SCHEDULING)
from prefect.client.schemas.schedules import IntervalSchedule
from flows.serving import deployments
import slow_inbox
deployments.ingest_inbox = slow_inbox.ingest_inbox
limit = deployments.one_at_a_time_on_the_gpu
deployments.one_at_a_time_on_the_gpu = lambda: print("limited", limit(), flush=True)
deployments.CronSchedule = lambda **_: IntervalSchedule(interval=timedelta(seconds=8))
try:
    serve(load_deploy(Path(sys.argv[1])))
except AlreadyServed as error:
    sys.exit(str(error))
"""


def test_a_second_one_for_the_same_warehouse_says_so(tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "warehouse")
    with serve._only_one(str(tmp_path / "warehouse"), tmp_path / "home"):
        for name in ("warehouse", "link"):
            with (
                pytest.raises(AlreadyServed, match="end that one first"),
                serve._only_one(str(tmp_path / name), tmp_path / "home"),
            ):
                pass
        with serve._only_one(str(tmp_path / "other"), tmp_path / "home"):
            pass
    with serve._only_one(str(tmp_path / "warehouse"), tmp_path / "home"):
        pass


def test_a_second_one_is_refused_before_anything_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAIT2HIP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(serve, "start_prefect", lambda _: pytest.fail("Prefect was started"))
    config = load_deploy(write(tmp_path, WHOLE))
    with (
        serve._only_one(config.warehouse, tmp_path / "cache"),
        pytest.raises(AlreadyServed, match="end that one first"),
    ):
        serve.serve(config)


def test_what_is_served_says_what_is_watched_and_until_when_it_sleeps(tmp_path: Path) -> None:
    config = load_deploy(write(tmp_path, INBOX.replace("* * * * *", "30 6 * * 1")))
    monday = datetime(2026, 11, 30, 6, 31, tzinfo=UTC)
    assert serve.what_is_served(config, monday).splitlines() == [
        f"serving {tmp_path / 'warehouse'} until it is ended (Ctrl-C):",
        f"  next at 2026-12-07 06:30 (UTC): takes sessions from {tmp_path / 'inbox'}",
    ]


def test_every_section_is_run_and_what_failed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    class Flow:
        def __init__(self, name: str, error: Exception | None = None) -> None:
            self.name, self.error = name, error

        def __call__(self, **parameters: object) -> None:
            ran.append((self.name, parameters))
            if self.error is not None:
                raise self.error

    flows = [Flow("ingest-inbox", OSError(28, "No space left on device")), Flow("regenerate")]
    fake = SimpleNamespace(flows_of=lambda _: [(flow, {"warehouse": "w"}, None) for flow in flows])
    monkeypatch.setitem(sys.modules, "flows.serving.deployments", fake)
    monkeypatch.setattr(serve, "start_prefect", lambda: None)
    with pytest.raises(NotDone, match=r"ingest-inbox: OSError: .*No space left"):
        run_once(load_deploy(write(tmp_path, WHOLE)))
    assert ran == [("ingest-inbox", {"warehouse": "w"}), ("regenerate", {"warehouse": "w"})]


@contextmanager
def served(tmp_path: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `serve` of a process of its own, killed at the end, whatever has become of it."""
    # Another test's server, which this process may have, runs no schedules.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    settings = {
        "PYTHONPATH": f"{STUBS}{os.pathsep}{ROOT}",
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    }
    with log.open("wb") as said:
        program = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(tmp_path / "deploy.toml")],
            env={**inherited, **settings},
            stdout=said,
            stderr=said,
            cwd=tmp_path,
        )
        try:
            yield program
        finally:
            program.kill()
            program.wait()


def wait_for(happened: Callable[[], object], program: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + HAPPENS_WITHIN_S
    while not happened():
        assert program.poll() is None and time.monotonic() < deadline_s, log.read_text("utf-8", "replace")[-3000:]
        time.sleep(0.1)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_in_mid_flow_and_started_again_it_goes_on_and_ingests_nothing_twice(tmp_path: Path) -> None:
    write(tmp_path, INBOX)
    done, log = tmp_path / "warehouse" / "processed.txt", tmp_path / "serve.log"
    subjects = [f"S{number:02}" for number in range(6)]
    for subject in subjects:
        copy_session(tmp_path / "inbox", subject)

    def n_done() -> int:
        return len(done.read_text().split()) if done.is_file() else 0

    with served(tmp_path, log) as first:
        wait_for(lambda: n_done() >= 2, first, log)
        below = psutil.Process(first.pid).children(recursive=True)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert 2 <= n_done() < len(subjects), "it was killed in mid-flow"
    # Its server, the flow's own process and its workers.
    assert len(below) >= 3
    assert not psutil.wait_procs(below, timeout=ENDS_WITHIN_S)[1], "nothing outlives it"

    with served(tmp_path, log) as second:
        reports = [tmp_path / "inbox" / subject / "gait2hip-report.json" for subject in subjects]
        wait_for(lambda: all(report.is_file() for report in reports), second, log)
        with served(tmp_path, tmp_path / "third.log") as third:
            assert third.wait(timeout=HAPPENS_WITHIN_S) == 1
        assert "another `gait2hip serve` is running" in (tmp_path / "third.log").read_text()
        # The schedule goes on: what comes later is taken by a later run.
        copy_session(tmp_path / "inbox", "S99")
        wait_for((tmp_path / "inbox" / "S99" / "gait2hip-report.json").is_file, second, log)
    assert "limited None" in log.read_text("utf-8", "replace"), "one training at a time"
    assert sorted(done.read_text().split()) == [f"{subject}/walk" for subject in [*subjects, "S99"]]
