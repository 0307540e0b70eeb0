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
from flows.ingesting import run_ingest as ingest_module
from flows.ingesting.ingest import IngestReport
from flows.prefect_server.local_prefect import PrefectNotStarted
from pipeline.errors import TrialRejected
from warehouse.errors import WarehouseError
from warehouse.identity import TrialKey
from warehouse.outcome import Outcome

KEY = TrialKey(cohort="adults", subject="S01", session="v1", trial="walk_1")
ACCEPTED = Outcome(key=KEY, status="accepted", n_cycles=2)
REJECTED = Outcome(key=KEY, status="rejected", stage="read_c3d", reason="walk_1.c3d is cut short")


def _run(*args: str) -> Result:
    return CliRunner().invoke(cli.app, list(args))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What `gait2hip ingest` asks of `flows.ingesting.run_ingest`, which accepts one trial."""
    asked: list[dict[str, object]] = []

    def record(sessions: Sequence[Path], **options: object) -> IngestReport:
        asked.append({"sessions": list(sessions), **options})
        return IngestReport(outcomes=(ACCEPTED,), refused=())

    monkeypatch.setattr(ingest_module, "ingest", record)
    return asked


def _ending(monkeypatch: pytest.MonkeyPatch, end: IngestReport | Exception) -> Result:
    def give(sessions: Sequence[Path], **options: object) -> IngestReport:
        if isinstance(end, Exception):
            raise end
        return end

    monkeypatch.setattr(ingest_module, "ingest", give)
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


def test_ingest_without_options_uses_every_core_and_the_published_recipe(
    calls: list[dict[str, object]],
) -> None:
    assert _run("ingest", "S01", "--warehouse", "w").exit_code == 0
    assert calls[0]["workers"] == os.cpu_count()
    assert calls[0]["recipe"] == "gait2hip60"
    assert calls[0]["model"] is None


def test_none_accepted_is_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _ending(monkeypatch, IngestReport(outcomes=(REJECTED,), refused=()))

    assert result.exit_code == 3
    assert "0 accepted, 1 rejected: 1 read_c3d" in result.stdout
    assert "walk_1.c3d is cut short" in result.stdout


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


def test_an_unknown_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _ending(monkeypatch, ZeroDivisionError("division by zero"))

    assert isinstance(result.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    "args",
    [
        ["ingest", "S01"],
        ["ingest", "--warehouse", "w"],
        ["ingest", "S01", "--warehouse", "w", "--workers", "0"],
        ["ingest", "S01", "--warehouse", "w", "--marker-cutoff-hz", "6"],
        ["init-session", "S01"],
        ["status"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_is_exit_code_2(args: list[str]) -> None:
    assert _run(*args).exit_code == 2


@pytest.mark.parametrize("text", ["slow", "=slow", "*slow*="])
def test_a_condition_says_which_files_and_what(tmp_path: Path, text: str) -> None:
    result = _run("init-session", str(tmp_path), "--subject", "S01", "--condition", text)

    assert result.exit_code == 2
    assert "expected GLOB=NAME" in result.stderr


def test_init_session_of_an_empty_folder_says_what_to_give(tmp_path: Path) -> None:
    result = _run("init-session", str(tmp_path), "--subject", "S01")

    assert result.exit_code == 2
    assert "holds no C3D file" in result.stderr


def test_ingest_of_a_folder_without_a_session_says_how_to_write_one(tmp_path: Path) -> None:
    result = _run("ingest", str(tmp_path), "--warehouse", str(tmp_path / "w"))

    assert result.exit_code == 2
    assert "gait2hip init-session" in result.stderr
    assert not (tmp_path / "w").exists()


def test_status_of_no_warehouse_says_so(tmp_path: Path) -> None:
    result = _run("status", "--warehouse", str(tmp_path / "none"))

    assert result.exit_code == 2
    assert "there is no warehouse" in result.stderr


def test_inspect_of_a_file_that_is_no_c3d_names_it(tmp_path: Path) -> None:
    file = tmp_path / "notes.c3d"
    file.write_text("not a recording")

    result = _run("inspect", str(file))

    assert result.exit_code == 2
    assert "notes.c3d" in result.stderr


def test_the_version_is_the_installed_one() -> None:
    from importlib.metadata import version

    assert _run("--version").stdout == f"gait2hip {version('gait2hip')}\n"


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_ends_a_run_at_once_with_its_workers(tmp_path: Path, write_session: Callable[..., Path]) -> None:
    session = write_session("v1", {"stuck": "hang", "too": "hang", "later": "hang"})
    warehouse = tmp_path / "warehouse"
    # A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; from flows.ingesting.run_ingest import ingest\n"
        "ingest([Path(sys.argv[2])], warehouse=sys.argv[3], recipe='any', model=None, workers=2,\n"
        "       on_progress=lambda n: print, steps='stub_steps')"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program, str(Path(__file__).parent), str(session), str(warehouse)],
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
