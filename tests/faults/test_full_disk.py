"""A full disk: the command says so, names the path, keeps all that was there, and gets through once there is room."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows import cli
from tests.faults.disks import Disk, injected_disk, small_disk
from tests.faults.made_up_ingest import SESSIONS, TRIALS, store_session, store_trial
from tests.warehouse.interchange import published
from warehouse.errors import WarehouseError

Command = Callable[[], None]


class Refused(Exception):
    """What a command said that did not end with exit code 0."""


@pytest.fixture(params=["injected", "mounted"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    if request.param == "injected":
        yield injected_disk(tmp_path / "disk", monkeypatch)
        return
    with small_disk(tmp_path / "disk", megabytes=16) as mounted:
        yield mounted


def _run(*args: object) -> str:
    done = CliRunner().invoke(cli.app, [str(arg) for arg in args])
    assert done.exit_code in (0, 2), done.output
    if done.exit_code:
        raise Refused(done.stderr)
    return done.stdout


@pytest.fixture
def npz(tmp_path: Path) -> list[Path]:
    return [published.write(tmp_path, kind) for kind in ("forces", "moments")]


@pytest.fixture
def warehouse(disk: Disk, npz: list[Path]) -> Path:
    """Twelve published cycles, on the disk."""
    _import(npz, disk.folder / "w", "published")
    return disk.folder / "w"


@pytest.fixture
def release(warehouse: Path, tmp_path: Path) -> str:
    said = _run("release", "--warehouse", warehouse, "--name", "all", "--holdout-fraction", "0.5", "--seed", "1")
    return said.split("wrote ")[1].strip()


def _import(npz: list[Path], warehouse: Path, cohort: str) -> None:
    files = [word for file in npz for word in ("--npz", file)]
    _run("import", "gait2hip60", *files, "--warehouse", warehouse, "--cohort", cohort)


def _refused_then_done(disk: Disk, command: Command, named: str, made: str) -> None:
    """`named` is the path in the message; `made` a part of the path of what the command gives in the end."""
    before = disk.content()
    disk.fill()
    with pytest.raises((Refused, WarehouseError)) as refused:
        command()
    assert "the disk is full. Free some space and run the command again: nothing stored was lost." in str(refused.value)
    assert f"{disk.folder / named}" in str(refused.value)
    assert disk.content() == before
    disk.free()
    command()
    after = disk.content()
    assert [path for path in after if made in path and after[path] != before.get(path)]


def test_storing_a_trial(disk: Disk) -> None:
    root, trial = str(disk.folder / "w"), TRIALS[0]

    def regenerate() -> None:
        store_trial(root, trial, "newer")

    store_session(root, SESSIONS[0])
    store_trial(root, trial, "a")
    _refused_then_done(disk, regenerate, "w/strides/adults/S1/v1/t1.parquet", "w/trials/")


def test_importing(disk: Disk, warehouse: Path, npz: list[Path]) -> None:
    _refused_then_done(disk, lambda: _import(npz, warehouse, "others"), "w", "w/cycles/others")


def test_releasing(disk: Disk, warehouse: Path, release: str) -> None:
    def command() -> None:
        _run("release", "--warehouse", warehouse, "--name", "another", "--points", "101")

    _refused_then_done(disk, command, "w", "releases/another-")


def test_exporting(disk: Disk, release: str) -> None:
    _refused_then_done(
        disk, lambda: _run("export", release, "--format", "npz", "--output", disk.folder / "x"), "x", "x/"
    )


def test_training_and_evaluating(disk: Disk, release: str) -> None:
    def train(folder: str) -> None:
        words = ("--model", "mean_curve", "--task", "moments", "--protocol", "holdout")
        _run("train", release, *words, "--no-track", "--output", disk.folder / folder)

    def evaluate() -> None:
        _run("evaluate", disk.folder / "old", "--release", release, "--output", disk.folder / "tested")

    train("old")
    _refused_then_done(disk, lambda: train("new"), "new", "new/model.safetensors")
    _refused_then_done(disk, evaluate, "tested", "tested/evaluation.json")


def test_writing_the_report(disk: Disk, warehouse: Path) -> None:
    page, titles = disk.folder / "page.html", iter(["old", "refused", "new"])

    def command() -> None:
        _run("report", "--warehouse", warehouse, "--output", page, "--title", next(titles))

    command()
    _refused_then_done(disk, command, "page.html", "page.html")
