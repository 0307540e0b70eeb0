"""Where the shared recordings are, the rule that CI skips none of the tests that need them or OpenSim, the figures that
tests measured, and which tests stay together when several processes share them.
"""

import os
from collections.abc import Generator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
DATA_VARIABLE = "GAIT2HIP_TEST_DATA"
NEVER_SKIPPED_IN_CI = ("osim", "data")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-all",
        action="store_true",
        help="a skipped test marked `osim` or `data` is a failure (the rule whenever CI=true)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if _strict(config) and not _data_folder().is_dir():
        raise pytest.UsageError(f"{_missing_data()} CI runs every test: it needs them.")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What is dear to make is made in one process: a file's fixtures, and the warehouse that tests/parity reads."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return "tests/parity" if file.startswith("tests/parity/") else file

    return Together(config, log)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings, read-only; a test that needs it is skipped where it is missing."""
    folder = _data_folder()
    if not folder.is_dir():
        pytest.skip(_missing_data())
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _strict(item.config) and _is_plain_skip(report) and _never_skipped(report):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI may not skip it: {_skip_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    # A file skipped while it is collected (`pytest.importorskip`) has no markers: it may hold a test CI must run.
    report = yield
    if _strict(collector.config) and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped as a whole, and CI may not skip it."
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    figures = _figures(terminalreporter.stats)
    if figures:
        terminalreporter.section("figures on real recordings")
        for line in _table([("figure", "found", "limit"), *figures]):
            terminalreporter.write_line(line)
    lines = _skipped_tests_and_files(terminalreporter.stats.get("skipped", []))
    if lines:
        terminalreporter.section("not run here")
        for line in lines:
            terminalreporter.write_line(line)


def _skipped_tests_and_files(skipped: Sequence[pytest.TestReport | pytest.CollectReport]) -> list[str]:
    """How many tests that CI may not skip were skipped for each reason, and every file skipped as a whole.

    A file skipped while it is collected (`pytest.importorskip`) has no markers to choose by: all are told.
    """
    tests = [report for report in skipped if isinstance(report, pytest.TestReport) and _never_skipped(report)]
    files = [report for report in skipped if isinstance(report, pytest.CollectReport)]
    reasons = [_skip_reason(report) for report in tests]
    return [
        *(f"{reasons.count(reason)} tests skipped: {reason}" for reason in sorted(set(reasons))),
        *(f"{report.nodeid} skipped as a whole: {_skip_reason(report)}" for report in files),
    ]


def _figures(outcomes: Mapping[str, Sequence[Any]]) -> list[tuple[str, str, str]]:
    """What the tests measured, one line for all values under one name: the largest."""
    largest: dict[str, tuple[str, Any, str]] = {}
    for report in chain.from_iterable(outcomes.values()):
        for name, figure in getattr(report, "user_properties", ()):
            if name == "figure":  # tests/parity/conftest.py
                what, form, value, limit = figure
                # Words have no largest: the last are told.
                known = largest.get(what, (form, value, limit))[1] if isinstance(value, float) else value
                largest[what] = (form, max(value, known), limit)
    return [(what, form.format(value), limit) for what, (form, value, limit) in largest.items()]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    padded.insert(1, ["-" * width for width in widths])
    return [f"| {' | '.join(row)} |" for row in padded]


def _data_folder() -> Path:
    named = os.environ.get(DATA_VARIABLE)
    return Path(named).resolve() if named else REPOSITORY.parent / "shared" / "data"


def _missing_data() -> str:
    folder = _data_folder()
    return f"the shared recordings are not at {folder}. Put them there, or name their folder in {DATA_VARIABLE}."


def _strict(config: pytest.Config) -> bool:
    return bool(config.getoption("--require-all")) or os.environ.get("CI") == "true"


def _never_skipped(report: pytest.TestReport) -> bool:
    return any(marker in report.keywords for marker in NEVER_SKIPPED_IN_CI)


def _is_plain_skip(report: pytest.TestReport) -> bool:
    return report.outcome == "skipped" and not hasattr(report, "wasxfail")


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    # pytest keeps (file, line, "Skipped: reason") for a skip.
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
