import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.ingesting import ingest as module
from flows.ingesting.ingest import IngestReport, Preparation, Refusal, plan_ingest, run_preparation, run_trial
from flows.ingesting.run_ingest import ingest
from flows.workers.worker_process import Stopped
from warehouse.errors import WarehouseError
from warehouse.identity import TrialKey
from warehouse.outcome import Outcome

WriteSession = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("stubs_on_path")


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    return folder


def _plan(warehouse: Path, *sessions: Path) -> module.Plan:
    return plan_ingest(sessions, warehouse=str(warehouse), recipe="any", model=None, steps="stub_steps")


def _ingest(warehouse: Path, *sessions: Path) -> tuple[IngestReport, list[Outcome | None]]:
    seen: list[Outcome | None] = []
    report = ingest(
        sessions,
        warehouse=str(warehouse),
        recipe="any",
        model=None,
        workers=2,
        on_progress=lambda _: seen.append,
        steps="stub_steps",
    )
    return report, seen


def _processed(warehouse: Path) -> list[str]:
    return sorted(path.name.split("-")[1] for path in warehouse.glob("processed-*"))


def test_one_bad_trial_or_session_never_stops_the_others(warehouse: Path, write_session: WriteSession) -> None:
    sessions = [
        write_session("v1", {"good": "accept", "bad": "reject", "dead": "crash", "broken": "raise"}),
        write_session("v2", {"never": "accept"}, prepare="crash"),
        write_session("v3", {"last": "fresh"}),
        write_session("v4", {"unscaled": "accept"}, prepare="reject"),
        write_session("v5", {"not_run": "accept"}, prepare="misconfigured"),
    ]

    report, seen = _ingest(warehouse, *sessions)

    stages = {outcome.key.trial: (outcome.status, outcome.stage) for outcome in report.outcomes}
    assert stages == {
        "good": ("accepted", None),
        "bad": ("rejected", "read_c3d"),
        "dead": ("rejected", "process_trial"),
        "broken": ("rejected", "process_trial"),
        "never": ("rejected", "prepare_session"),
        "last": ("accepted", None),
        "unscaled": ("rejected", "scaling"),
    }
    assert [refusal.session for refusal in report.refused] == [str(sessions[4])]
    assert "marker_cutoff_hz is missing" in report.refused[0].reason
    assert report.exit_code == 2
    assert [outcome.key for outcome in report.outcomes] == sorted(outcome.key for outcome in report.outcomes)
    assert {outcome.key.trial for outcome in seen if outcome is not None} == set(stages)
    assert seen.count(None) == 1
    assert _processed(warehouse) == ["bad", "broken", "dead", "good", "last"]


def test_every_call_has_a_process_and_a_directory_of_its_own(warehouse: Path, write_session: WriteSession) -> None:
    session = write_session("v1", {f"t{number}": "accept" for number in range(4)})

    report, _ = _ingest(warehouse, session)

    marks = [*warehouse.glob("processed-*"), *warehouse.glob("prepared-*")]
    assert len(report.accepted) == 4
    assert len({path.name.rpartition("-")[2] for path in marks}) == 5
    assert len({path.read_text() for path in marks}) == 5


def test_a_crash_is_stored_with_its_log(warehouse: Path, write_session: WriteSession) -> None:
    session = write_session("v1", {"dead": "crash", "broken": "raise"})

    _ingest(warehouse, session)

    stage, reason, log = json.loads((warehouse / "crash-v1-dead.json").read_text())
    assert (stage, "SIGKILL" in reason, "segfault ahead" in log) == ("process_trial", True, True)
    stage, reason, log = json.loads((warehouse / "crash-v1-broken.json").read_text())
    assert "unexpected ZeroDivisionError: division by zero" in reason
    assert "Traceback" in log


def test_a_disk_that_fills_up_says_so_and_is_no_fault_of_the_code(warehouse: Path, write_session: WriteSession) -> None:
    report, _ = _ingest(warehouse, write_session("v1", {"full": "full_disk", "good": "accept"}))

    assert [outcome.key.trial for outcome in report.accepted] == ["good"]
    full = report.rejected[0]
    assert full.stage == "storing"
    assert full.reason == "can't write kinematics: the disk is full. Free space and run this again."


def test_no_room_for_a_workers_own_files_is_no_fault_of_the_code(
    warehouse: Path, write_session: WriteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise WarehouseError("the disk that holds temporary files is full.")

    monkeypatch.setattr(module.worker_process, "run", no_room)
    run = _plan(warehouse, write_session("v1", {"t": "accept"})).runs[0]

    outcome = run_trial(run, "t", Preparation(state="ready"))

    assert outcome is not None
    assert (outcome.stage, outcome.reason) == ("storing", "the disk that holds temporary files is full.")
    assert run_preparation(run) == Preparation(state="refused", reason="the disk that holds temporary files is full.")


def test_a_hang_costs_its_trial_only(
    warehouse: Path, write_session: WriteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIME_LIMIT_S", 3.0)

    report, _ = _ingest(warehouse, write_session("v1", {"stuck": "hang", "good": "accept"}))

    assert [outcome.key.trial for outcome in report.accepted] == ["good"]
    assert "had not finished after 3 s" in (report.rejected[0].reason or "")


def test_a_rejection_that_cannot_be_stored_is_still_reported(warehouse: Path, write_session: WriteSession) -> None:
    report, _ = _ingest(warehouse, write_session("v1", {"dead": "crash"}, full_disk=True))

    assert "could not be stored: the disk is full" in (report.rejected[0].reason or "")
    assert report.exit_code == 3


def test_what_even_the_flow_did_not_expect_costs_its_trial_only(
    warehouse: Path, write_session: WriteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_on_bad(run: module.SessionRun, trial: str, preparation: Preparation) -> Outcome | None:
        if trial == "bad":
            raise MemoryError("no memory left")
        return run_trial(run, trial, preparation)

    monkeypatch.setattr(module, "run_trial", fail_on_bad)

    report, _ = _ingest(warehouse, write_session("v1", {"bad": "accept", "good": "accept"}))

    assert [outcome.key.trial for outcome in report.accepted] == ["good"]
    assert report.rejected[0].reason == "MemoryError: no memory left"


def test_interrupting_ends_the_workers_and_stores_nothing(warehouse: Path, write_session: WriteSession) -> None:
    def interrupt(outcome: Outcome | None) -> None:
        raise KeyboardInterrupt

    session = write_session("v1", {"first": "accept", "stuck": "hang", "later": "hang"})

    with pytest.raises(KeyboardInterrupt):
        ingest(
            [session],
            warehouse=str(warehouse),
            recipe="any",
            model=None,
            workers=2,
            on_progress=lambda _: interrupt,
            steps="stub_steps",
        )

    assert not list(warehouse.glob("crash-*"))


def test_a_session_that_cannot_run_is_refused_and_the_others_are_planned(
    warehouse: Path, write_session: WriteSession, tmp_path: Path
) -> None:
    good = write_session("v1", {"t": "accept"})

    plan = _plan(warehouse, tmp_path / "absent.json", good)

    assert [run.session_file for run in plan.runs] == [str(good)]
    assert "absent.json does not exist" in plan.refused[0].reason
    assert plan.n_trials == 1


def test_nothing_to_run_is_a_configuration_error(warehouse: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.json does not exist"):
        _ingest(warehouse, tmp_path / "absent.json")


def test_a_session_named_twice_runs_once(warehouse: Path, write_session: WriteSession) -> None:
    session = write_session("v1", {"t": "accept"})

    plan = _plan(warehouse, session, session)

    assert len(plan.runs) == 1
    assert not plan.refused


def test_two_files_that_are_the_same_session_are_not_mixed(warehouse: Path, write_session: WriteSession) -> None:
    first = write_session("v1", {"t": "accept"})
    second = first.with_name("copy.json")
    second.write_text(first.read_text())

    plan = _plan(warehouse, first, second)

    assert [run.session_file for run in plan.runs] == [str(first)]
    assert str(first) in plan.refused[0].reason
    assert str(second) in plan.refused[0].reason


def test_workers_get_absolute_paths(
    write_session: WriteSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = write_session("v1", {"t": "accept"})
    (tmp_path / "mine.toml").touch()
    monkeypatch.chdir(tmp_path)

    plan = plan_ingest(
        [Path(session.name)], warehouse="w", recipe="mine.toml", model=Path("m.osim"), steps="stub_steps"
    )

    run = plan.runs[0]
    assert run.recipe == str(tmp_path / "mine.toml")
    assert run.model == str(tmp_path / "m.osim")
    assert run.warehouse == str(tmp_path / "w")


def test_an_object_store_is_no_path(write_session: WriteSession) -> None:
    plan = plan_ingest(
        [write_session("v1", {"t": "accept"})],
        warehouse="s3://lab/gait",
        recipe="gait2hip60",
        model=None,
        steps="stub_steps",
    )

    assert plan.runs[0].warehouse == "s3://lab/gait"
    assert plan.runs[0].recipe == "gait2hip60"


def test_a_warehouse_that_cannot_be_written_fails_before_any_work(tmp_path: Path, write_session: WriteSession) -> None:
    taken = tmp_path / "file"
    taken.touch()

    with pytest.raises(WarehouseError, match="can't be written"):
        _ingest(taken, write_session("v1", {"t": "accept"}))


def test_missing_libraries_are_named_with_their_cure(
    warehouse: Path, write_session: WriteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIBRARIES", ("c3d", "no_such_library"))

    with pytest.raises(ValueError, match=r"no_such_library not installed.*pip install"):
        _plan(warehouse, write_session("v1", {"t": "accept"}))


def test_a_stopped_run_knows_nothing_of_its_trials(
    warehouse: Path, write_session: WriteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _plan(warehouse, write_session("v1", {"t": "accept"})).runs[0]
    monkeypatch.setattr(module.worker_process, "run", lambda *args, **limits: Stopped())

    preparation = run_preparation(run)

    assert preparation.state == "stopped"
    assert run_trial(run, "t", preparation) is None
    assert run_trial(run, "t", Preparation(state="ready")) is None


@pytest.mark.parametrize(
    ("statuses", "refused", "exit_code"),
    [
        (["accepted", "rejected"], False, 0),
        (["rejected"], False, 3),
        ([], False, 3),
        (["accepted"], True, 2),
        (["accepted", "unstored"], False, 2),
    ],
)
def test_the_exit_code_says_how_it_ended(statuses: list[str], refused: bool, exit_code: int) -> None:
    outcomes = tuple(
        Outcome(
            key=TrialKey(cohort="c", subject="s", session="v", trial=f"t{number}"),
            status="accepted" if status == "accepted" else "rejected",
            stage={"accepted": None, "rejected": "quality", "unstored": "storing"}[status],
            reason=None if status == "accepted" else "too noisy, or no room",
        )
        for number, status in enumerate(statuses)
    )
    refusals = (Refusal(session="s", reason="no mass"),) if refused else ()

    assert IngestReport(outcomes=outcomes, refused=refusals).exit_code == exit_code
