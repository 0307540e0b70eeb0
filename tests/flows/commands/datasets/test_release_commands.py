"""`gait2hip release`, `export` and `import` as they are typed."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from flows import cli
from tests.warehouse.interchange import published


def _run(*args: object) -> Result:
    return CliRunner().invoke(cli.app, [str(arg) for arg in args])


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    files = [published.write(tmp_path, kind) for kind in ("forces", "moments")]
    done = _run("import", "gait2hip60", "--npz", files[0], "--npz", files[1], "--warehouse", tmp_path / "w")
    assert done.exit_code == 0, done.output
    assert "12 gait cycles imported" in done.output
    return tmp_path / "w"


def _released(warehouse: Path, *options: object) -> Path:
    done = _run("release", "--warehouse", warehouse, "--name", "all", *options)
    assert done.exit_code == 0, done.output
    return Path(done.output.split("wrote ")[1].strip())


def test_import_release_and_export_go_round(tmp_path: Path, imported: Path) -> None:
    release = _released(imported, "--sides", "right", "--holdout", "H02,H04", "--licence", "CC0")

    done = _run("export", release, "-o", tmp_path / "data")

    assert done.exit_code == 0, done.output
    assert "wrote 2 files" in done.output
    assert np.load(tmp_path / "data" / "Gait2Hip_MF60.npz")["X"].shape == (12, 180, 10)
    assert "Test: gait2hip60/H02, gait2hip60/H04." in (release / "README.md").read_text()


def test_an_audit_is_made_recorded_told_and_drawn(tmp_path: Path, imported: Path) -> None:
    release = _released(imported)
    page = tmp_path / "pages" / "audit.html"

    done = _run("audit", release, "-o", page)

    assert done.exit_code == 0, done.output
    assert done.output.startswith("nobody to compare with: 4 subjects, 12 cycles, ")
    assert "saturation: nothing is known of the activations in 12 trials" in done.output
    assert f"wrote {page}" in done.output
    assert "<h1>Audit of all</h1>" in page.read_text()
    assert "## Audit" in (release / "README.md").read_text()
    before = page.read_bytes()
    nowhere = _run("audit", release, "-o", page / "audit.html")
    assert nowhere.exit_code == 2
    assert "a file stands where a folder is needed" in nowhere.output
    assert page.read_bytes() == before
    (release / "audit.json").write_text("{}")
    assert "audit.json is not what the release was published with" in _run("audit", release).output


def test_what_an_export_leaves_out_is_told(tmp_path: Path, imported: Path) -> None:
    done = _run("export", _released(imported, "--points", "101"), "-o", tmp_path / "out")

    assert done.exit_code == 2
    assert "101 samples; the published layout has 180" in done.output


def test_release_narrows_by_what_is_typed(imported: Path) -> None:
    done = _run(
        "release", "--warehouse", imported, "--name", "some", "--condition", "slow", "--condition", "fast",
        "--subject", "H01", "--cohort", "gait2hip60", "--recipe", "imported-gait2hip60",
    )  # fmt: skip

    assert done.exit_code == 0, done.output
    assert "2 gait cycles (2 with every target) of 2 trials of 1 subjects" in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cohort", "nobody"), "--cohort nobody"),
        (("--sides", "left"), "expected right or both"),
        (("--points", "1"), "at least its two foot strikes"),
        (("--holdout", "H99"), "--holdout H99"),
        (("--seed", "3"), "belong together"),
    ],
)
def test_a_wrong_word_is_refused_and_leaves_nothing(imported: Path, options: tuple[str, ...], message: str) -> None:
    done = _run("release", "--warehouse", imported, "--name", "x", *options)

    assert done.exit_code == 2
    assert message in done.output
    assert not (imported / "releases").exists() or not list((imported / "releases").iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give --npz FILE, or --archive"),
        (("--archive", "a.zip"), "give --npz FILE, or --archive"),
        (("--npz", "a.npz", "--subjects", "s.csv"), "give --npz FILE, or --archive"),
        (("--npz", "a.npz"), "a.npz: can't be read"),
        (("--archive", "a.zip", "--subjects", "s.csv"), "can't read s.csv: it does not exist"),
    ],
)
def test_import_says_what_it_needs(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    done = _run("import", "gait2hip60", "--warehouse", tmp_path / "w", *options)

    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "w").exists()


def test_other_layouts_and_formats_are_refused_by_name(tmp_path: Path, imported: Path) -> None:
    assert "No such command 'other'" in _run("import", "other", "--warehouse", tmp_path).output
    done = _run("export", _released(imported), "--format", "xlsx", "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "expected npz, csv, mot" in done.output
    assert "no release at" in _run("export", imported, "-o", tmp_path / "out").output


@pytest.mark.parametrize(
    "command",
    [("release", "--name", "all", "--warehouse", "{}"), ("diff", "{}", "{}"), ("status", "--warehouse", "{}")],
)
def test_a_warehouse_that_is_not_there_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    nowhere = tmp_path / "nowhere"
    done = _run(*(word.format(nowhere) for word in command))

    assert done.exit_code == 2
    assert done.stderr.startswith(f"gait2hip: there is no warehouse at {nowhere}, or nothing has been")
    assert len(done.stderr.splitlines()) == 1
    assert not nowhere.exists()
