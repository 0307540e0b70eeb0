import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows import cli
from flows.ingesting import plan as plan_module
from flows.ingesting import run_plan as run_module
from flows.ingesting.plan import IngestPlan
from flows.ingesting.report import IngestReport
from flows.prefect_server.local_prefect import PrefectNotStarted
from flows.workers.call_outcome import WorkerFault
from pipeline.errors import TrialRejected
from warehouse.errors import WarehouseError
from warehouse.identity import TrialKey
from warehouse.outcome import Outcome, Rejection

KEY = TrialKey(cohort="adults", subject="S01", session="v1", trial="walk_1")
ACCEPTED = Outcome(key=KEY, n_cycles=2)
REJECTED = Outcome(key=KEY, rejection=Rejection(stage="read_c3d", reason="walk_1.c3d is cut short"))
STUBS = Path(__file__).parents[2]


def _run(*args: str) -> Result:
    return CliRunner().invoke(cli.app, list(args))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What `gait2hip ingest` asks for, of a plan and of its run, which accepts one trial."""
    asked: list[dict[str, object]] = []

    def plan(sessions: Sequence[Path], **options: object) -> IngestPlan:
        asked.append({"sessions": list(sessions), **options})
        return IngestPlan(warehouse="w", sessions=(), refused=())

    def run(_: IngestPlan, **options: object) -> IngestReport:
        asked[-1] |= options
        return IngestReport(outcomes=(ACCEPTED,), refused=())

    monkeypatch.setattr(plan_module, "plan_ingest", plan)
    monkeypatch.setattr(run_module, "run_plan", run)
    return asked


def _ending(monkeypatch: pytest.MonkeyPatch, end: IngestReport | Exception) -> Result:
    def give(_: IngestPlan, **options: object) -> IngestReport:
        if isinstance(end, Exception):
            raise end
        return end

    monkeypatch.setattr(run_module, "run_plan", give)
    return _run("ingest", "S01", "--warehouse", "w")


def test_ingest_passes_on_what_was_asked(calls: list[dict[str, object]]) -> None:
    result = _run(
        "ingest", "S01", "S02/session.toml", "--warehouse", "w", "--recipe", "mine.toml",
        "--model", "m.osim", "--workers", "3",
    )  # fmt: skip

    assert result.exit_code == 0
    assert calls[0]["sessions"] == [Path("S01"), Path("S02/session.toml")]
    assert calls[0]["warehouse"] == "w"
    assert calls[0]["recipe"] == "mine.toml"
    assert calls[0]["model"] == Path("m.osim")
    assert calls[0]["workers"] == 3
    assert calls[0]["with_prefect"] is True


def test_prefect_can_be_left_out(calls: list[dict[str, object]]) -> None:
    assert _run("ingest", "S01", "--warehouse", "w", "--no-prefect").exit_code == 0
    assert calls[0]["with_prefect"] is False


def test_ingest_without_options_uses_every_core_and_the_published_recipe(
    calls: list[dict[str, object]],
) -> None:
    assert _run("ingest", "S01", "--warehouse", "w").exit_code == 0
    assert calls[0]["workers"] == os.cpu_count()
    assert calls[0]["recipe"] == "gait2hip60"
    assert calls[0]["model"] is None


@pytest.mark.usefixtures("calls")
def test_none_accepted_is_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _ending(monkeypatch, IngestReport(outcomes=(REJECTED,), refused=()))

    assert result.exit_code == 3
    assert "0 accepted, 1 rejected: 1 read c3d" in result.stdout
    assert "walk_1.c3d is cut short" in result.stdout


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    "error",
    [
        ValueError("session.toml: height_m=175 is outside 0.8-2.4 m. Is it in centimetres?"),
        WarehouseError("can't write to w: the disk is full. Free some space."),
        TrialRejected("read_c3d", "x.c3d is cut short"),
        PrefectNotStarted("Prefect's temporary server did not start: timed out"),
    ],
)
def test_our_errors_are_one_paragraph_and_exit_code_2(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    result = _ending(monkeypatch, error)

    assert result.exit_code == 2
    assert result.stderr == f"gait2hip: {error}\n"


@pytest.mark.usefixtures("calls")
def test_a_fault_of_ours_is_said_with_its_log_and_exit_code_4(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _ending(monkeypatch, WorkerFault("an unexpected KeyError: please report it.", "Traceback: …"))

    assert result.exit_code == 4
    assert result.stderr == "gait2hip: an unexpected KeyError: please report it.\nTraceback: …\n"


@pytest.mark.usefixtures("calls")
def test_an_unknown_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _ending(monkeypatch, ZeroDivisionError("division by zero"))

    assert isinstance(result.exception, ZeroDivisionError)


def test_ingest_of_a_folder_without_a_session_says_how_to_write_one(tmp_path: Path) -> None:
    result = _run("ingest", str(tmp_path), "--warehouse", str(tmp_path / "w"))

    assert result.exit_code == 2
    assert "gait2hip init-session" in result.stderr
    assert not (tmp_path / "w").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("way", ["Prefect", "threads"])
def test_ctrl_c_ends_a_run_at_once_with_its_workers(
    tmp_path: Path, write_session: Callable[..., Path], way: str
) -> None:
    session = write_session("v1", {"stuck": "hang", "too": "hang", "later": "hang"})
    warehouse = tmp_path / "warehouse"
    # A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; from stub_steps import STEPS\n"
        "from flows.ingesting.plan import plan_ingest; from flows.ingesting.run_plan import run_plan\n"
        "plan = plan_ingest([Path(sys.argv[2])], warehouse=sys.argv[3], recipe='any', model=None, steps=STEPS)\n"
        "run_plan(plan, workers=2, on_progress=lambda n: print, steps=STEPS, with_prefect=sys.argv[4] == 'Prefect')"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program, str(STUBS), str(session), str(warehouse), way],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(list(warehouse.glob("processed-*"))) < 2:
        assert time.monotonic() < deadline, "the workers never started"
        time.sleep(0.05)
    workers = [int(path.name.rpartition("-")[2]) for path in warehouse.glob("processed-*")]

    # As a terminal does: to everything in the foreground.
    os.killpg(run.pid, signal.SIGINT)
    _, complaints = run.communicate(timeout=30)

    assert run.returncode != 0
    assert b"KeyboardInterrupt" in complaints
    assert not list(warehouse.glob("crash-*"))
    assert len(list(warehouse.glob("processed-*"))) == 2
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
