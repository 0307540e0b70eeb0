"""`gait2hip status` as people type it: what accepted trials warn of, and settings that nothing can be compared with."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows import cli
from tests.warehouse.one_file import write_row
from tests.warehouse.samples import MADE, trial_row
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse


def _run(*args: str) -> Result:
    return CliRunner().invoke(cli.app, ["status", *args])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A warehouse of two accepted trials; both warn of the plates, one of a gap."""
    for name, warnings in (
        ("t1", ["T10 is missing for 0.06 s", "the plates seem 11 ms late"]),
        ("t2", ["the plates seem 17 ms late"]),
    ):
        key = TrialKey(cohort="adults", subject="S1", session="v1", trial=name)
        write_row(Warehouse(str(tmp_path)), "trials", key, trial_row(warnings=warnings), **MADE)
    return tmp_path


def test_warnings_of_accepted_trials_are_told_worst_first(root: Path) -> None:
    result = _run("--warehouse", str(root))

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    at = lines.index("warnings of 2 of 2 trials that gave a result, worst first:")
    assert lines[at + 1 : at + 5] == [
        "  moments and forces",
        "    2 of 2 trials: the plates seem 11 to 17 ms late",
        "  markers",
        "    1 of 2 trials: T10 is missing for 0.06 s (adults/S1/v1/t1)",
    ]


@pytest.mark.parametrize("command", ["status", "regenerate"])
@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--recipe", "recipe 'nope' is neither a file nor one of the packaged recipes: gait2hip60."),
        ("--model", "the model nope is not a file: give an .osim file, or none for each session's own."),
    ],
)
def test_settings_that_are_not_there_are_one_line_and_exit_code_2(
    root: Path, command: str, option: str, said: str
) -> None:
    result = CliRunner().invoke(cli.app, [command, "--warehouse", str(root), option, "nope"])

    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"gait2hip: {said}\n")


@pytest.mark.parametrize("command", ["status", "regenerate"])
def test_an_address_of_no_known_store_says_what_was_expected(command: str) -> None:
    result = CliRunner().invoke(cli.app, [command, "--warehouse", "s4://bucket/x"])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "the warehouse s4://bucket/x: expected a folder, or s3://bucket/prefix" in result.stderr
