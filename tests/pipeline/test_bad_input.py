"""Bad recordings, settings and disks: a clear error each, and nothing lost.

A real walk is damaged in one way at a time. Every message names the file, what was found, what was expected and
what to do.
"""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from flows.cli import app
from pipeline.c3d.read_c3d import read_c3d
from pipeline.storing.ingest_trial import ingest_trial
from pipeline.storing.prepare_session import prepare_session
from pipeline.storing.request import SessionRequest
from warehouse.errors import WarehouseError
from warehouse.files.read import read_row
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome
from warehouse.schemas import PER_TRIAL

pytestmark = [pytest.mark.osim, pytest.mark.data]

# What `edit_c3d.py` is to do, and its arguments.
Change = tuple[str, ...]

SESSION = """
format = 1
[subject]
id = "S01"
mass_kg = 67.0
height_m = 1.66
[session]
id = "first"
cohort = "adults"
profile = "isb_full_body"
static = "static.c3d"
sizing = []
[trials]
"walk.c3d" = "preferred"
"""
PELVIS = ("R_IAS", "L_IAS", "R_IPS", "L_IPS")
ONE_SECOND = ("unseen", "20", "120")
ALWAYS = ("unseen", "0", "156")
SOFTWARE = "Fill the gaps in the laboratory's software"
OWN_SESSION = "another person's, move it to its own session"


@pytest.fixture(scope="module")
def adults(shared_data: Path) -> Path:
    return shared_data / "walking_adults"


@pytest.fixture(scope="module")
def model(shared_data: Path) -> str:
    return str(shared_data / "opensim_reference" / "rajagopal2016" / "Rajagopal2016.osim")


@pytest.fixture(scope="module")
def scaled(adults: Path, model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good session whose model is scaled: recordings, session.toml and a folder `warehouse`."""
    folder = tmp_path_factory.mktemp("scaled")
    (folder / "session.toml").write_text(SESSION)
    shutil.copy(adults / "2014001" / "2014001_ST.c3d", folder / "static.c3d")
    shutil.copy(adults / "2014001" / "2014001_C4_05.c3d", folder / "walk.c3d")
    assert prepare_session(request_of(folder, model)).accepted
    return folder


@pytest.fixture
def session(scaled: Path, tmp_path: Path) -> Path:
    """The test's own copy of `scaled`."""
    return Path(shutil.copytree(scaled, tmp_path / "session", copy_function=_writable_copy))


def _writable_copy(source: str, target: str) -> None:
    # The shared recordings, and so their copies, may be read-only.
    shutil.copyfile(source, target)


def edit(recording: Path, change: Change) -> None:
    """Change one thing in a C3D file."""
    editor = Path(__file__).with_name("edit_c3d.py")
    subprocess.run([sys.executable, str(editor), str(recording), *change], check=True)


def reconfigure(session: Path, old: str, new: str) -> None:
    assert old in SESSION
    (session / "session.toml").write_text(SESSION.replace(old, new))


def request_of(session: Path, model: str | None, recipe: str = "gait2hip60") -> SessionRequest:
    return SessionRequest(session_file=str(session), recipe=recipe, model=model, warehouse=str(session / "warehouse"))


def process(session: Path, model: str) -> Outcome:
    return ingest_trial(request_of(session, model), "walk")


def assert_rejected(outcome: Outcome, session: Path, stage: str, *words: str) -> None:
    """Rejected by this stage in words that hold all of these, and stored so."""
    rejection = outcome.rejection
    assert rejection is not None
    assert rejection.stage == stage, outcome
    for word in words:
        assert word in rejection.reason
    row = read_row(Warehouse(str(session / "warehouse")), "trials", outcome.key)
    assert (row["outcome"], row["stage"], row["reason"]) == ("rejected", stage, rejection.reason)


def hashes(folder: Path, name: str = "*") -> dict[str, str]:
    files = folder.rglob(f"{name}.parquet")
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# Walks -------------------------------------------------------------------------------------------


def test_an_edited_copy_is_the_recording_but_for_the_edit(session: Path, adults: Path) -> None:
    edit(session / "walk.c3d", ("nothing",))
    copy, original = read_c3d(session / "walk.c3d"), read_c3d(adults / "2014001" / "2014001_C4_05.c3d")
    np.testing.assert_allclose(copy.markers_m, original.markers_m, rtol=0, atol=1e-6)
    for ours, theirs in zip(copy.plates, original.plates, strict=True):
        np.testing.assert_allclose(ours.force_n, theirs.force_n, rtol=0, atol=1e-3)
        np.testing.assert_allclose(ours.corners_m, theirs.corners_m, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "stage", "words"),
    [
        pytest.param(
            ("without_plates",),
            "ground_reactions",
            ("holds no force plate", "expected at least one under a step", "Export the plates with the walk"),
            id="no plates",
        ),
        pytest.param(
            ("without_label", "R_FCC"),
            "markers",
            ("lacks the markers R_FCC", "'isb_full_body' requires", "found L_IAS", "write another profile"),
            id="a required label is missing",
        ),
        pytest.param(
            ONE_SECOND,
            "markers",
            ("at most 0.36 s on end", "expected at least 0.5 s", "missing for 1.00 s from 0.20 s", SOFTWARE),
            id="all markers vanish for a second",
        ),
        pytest.param(
            (*ONE_SECOND, *PELVIS),
            "markers",
            ("at most 0.36 s on end", "expected at least 0.5 s", "R_IAS is missing for 1.00 s from 0.20 s", SOFTWARE),
            id="the pelvis vanishes for a second",
        ),
        pytest.param(
            ("unseen", "60", "156", *PELVIS),
            "gait_events",
            ("R_FCC and the pelvis are seen together in 38% of the frames", "expected at least 50%", SOFTWARE),
            id="the pelvis vanishes for the rest of the walk",
        ),
        pytest.param(
            (*ALWAYS, *PELVIS),
            "ground_frame",
            ("R_IAS, L_IAS, R_IPS, L_IPS", "never visible", "expected them together", "Fill their gaps"),
            id="the pelvis is never seen",
        ),
        pytest.param(
            (*ALWAYS, "R_FCC", "R_FM1", "R_FM2", "R_FM5"),
            "markers",
            ("lacks the markers R_FCC, R_FM1, R_FM2, R_FM5, or never shows them", "write another profile"),
            id="a foot is never seen",
        ),
        pytest.param(
            ("with_plates_under_both_feet",),
            "cycles",
            ("both feet on plate 1", "no complete gait cycle", "expected at least one", "lands alone and wholly"),
            id="a plate hit by both feet",
        ),
    ],
)
def test_a_damaged_walk_says_what_is_wrong_with_it(
    session: Path, model: str, change: Change, stage: str, words: tuple[str, ...]
) -> None:
    edit(session / "walk.c3d", change)
    assert_rejected(process(session, model), session, stage, "walk.c3d", *words)


def test_a_truncated_walk(session: Path, model: str) -> None:
    data = (session / "walk.c3d").read_bytes()
    (session / "walk.c3d").write_bytes(data[: len(data) * 2 // 3])
    words = ("walk.c3d", "truncated", f"has {len(data) * 2 // 3} bytes", "156 frames need", "Copy it again")
    assert_rejected(process(session, model), session, "read_c3d", *words)


def test_a_broken_walk(session: Path, model: str, shared_data: Path) -> None:
    _writable_copy(str(shared_data / "c3d_variants" / "sample_18" / "bad_parameter_section.c3d"), session / "walk.c3d")
    words = ("walk.c3d", "parameter section is broken at byte 5564", "LABELS is larger", "Export the trial again")
    assert_rejected(process(session, model), session, "read_c3d", *words)


def test_a_walk_that_is_something_else(session: Path, model: str) -> None:
    (session / "walk.c3d").write_text("time,x,y,z\n" + 1000 * "0.00,1,2,3\n")
    assert_rejected(process(session, model), session, "read_c3d", "walk.c3d", "not a C3D file")


def test_a_walk_that_is_empty(session: Path, model: str) -> None:
    (session / "walk.c3d").write_bytes(b"")
    words = ("walk.c3d", "has 0 bytes", "at least 1024", "copy it again")
    assert_rejected(process(session, model), session, "read_c3d", *words)


def test_a_walk_that_is_not_there(session: Path, model: str) -> None:
    (session / "walk.c3d").unlink()
    words = ("walk.c3d", "No such file", "Check the file names")
    assert_rejected(process(session, model), session, "read_c3d", *words)


def test_another_subjects_walk_says_so_itself(session: Path, model: str, adults: Path) -> None:
    _writable_copy(str(adults / "2014004" / "2014004_C4_02.c3d"), session / "walk.c3d")
    words = ("walk.c3d states a height of 1.77 m", "session.toml 1.66 m", "expected the same within 3%", OWN_SESSION)
    assert_rejected(process(session, model), session, "subject", *words)


def test_another_subjects_walk_is_told_by_the_segments_lengths(session: Path, model: str, adults: Path) -> None:
    _writable_copy(str(adults / "2014004" / "2014004_C4_02.c3d"), session / "walk.c3d")
    edit(session / "walk.c3d", ("without_subject",))
    words = ("walk.c3d", "segments measure over 6% more or less", "standing", "expected one person's", OWN_SESSION)
    assert_rejected(process(session, model), session, "subject", *words)


# Static trials -----------------------------------------------------------------------------------


def static_rejection(session: Path, model: str) -> tuple[str, str]:
    """Stage and reason; nothing of the session's walk is computed without its scaled model."""
    outcome = prepare_session(request_of(session, model))
    assert outcome.rejection is not None
    with pytest.raises(ValueError, match="holds no scaled model of this session by these settings"):
        process(session, model)
    return outcome.rejection.stage, outcome.rejection.reason


def test_no_static_trial(session: Path, model: str) -> None:
    (session / "static.c3d").unlink()
    stored = hashes(session / "warehouse")
    for step, which in ((prepare_session, ()), (ingest_trial, ("walk",))):
        with pytest.raises(ValueError, match=r"session\.toml: the static trial .*static\.c3d does not exist") as caught:
            step(request_of(session, model), *which)
        assert "Correct `static` or `recordings`" in str(caught.value)
    assert hashes(session / "warehouse") == stored


@pytest.mark.parametrize(
    ("change", "stage", "words"),
    [
        (
            ("without_label", "R_TTC"),
            "markers",
            ("lacks the markers R_TTC", "'isb_full_body' requires", "another profile"),
        ),
        (
            (*ALWAYS, "R_TTC"),
            "markers",
            ("lacks the markers R_TTC, or never shows them", "'isb_full_body' requires", "another profile"),
        ),
    ],
)
def test_a_static_trial_without_a_marker(
    session: Path, model: str, change: Change, stage: str, words: tuple[str, ...]
) -> None:
    edit(session / "static.c3d", change)
    found, reason = static_rejection(session, model)
    assert found == stage
    for word in ("static.c3d", *words):
        assert word in reason


def test_another_subjects_static_trial(session: Path, model: str, adults: Path) -> None:
    _writable_copy(str(adults / "2014015" / "2014015_ST.c3d"), session / "static.c3d")
    smaller = prepare_session(request_of(session, model))
    assert smaller.rejection is not None
    assert "height by neck (CV7)" in smaller.rejection.reason

    # As tall as the walker.
    _writable_copy(str(adults / "2014007" / "2014007_ST.c3d"), session / "static.c3d")
    assert prepare_session(request_of(session, model)).accepted
    words = ("segments measure over 6% more or less than in the static trial", OWN_SESSION)
    assert_rejected(process(session, model), session, "subject", "walk.c3d", *words)


def test_a_static_trial_needs_no_plates(scaled: Path) -> None:
    assert read_c3d(scaled / "static.c3d").plates == ()


# Settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("mass_kg = 67.0\n", "", ("subject.mass_kg", "Fill in mass_kg: nothing is assumed")),
        ("1.66", "0.0175", ("height_m", "found 0.0175", "outside 0.8-2.4 m", "Correct session.toml")),
        ('profile = "isb_full_body"', 'profile = "isb"', ("profile 'isb'", "packaged profiles: auto, isb_full_body")),
        ('"walk.c3d" = "preferred"', "", ("trials", "at least 1")),
    ],
)
def test_a_wrong_session_is_refused_before_anything_is_stored(
    session: Path, model: str, old: str, new: str, words: tuple[str, ...]
) -> None:
    reconfigure(session, old, new)
    shutil.rmtree(session / "warehouse")
    for step, which in ((prepare_session, ()), (ingest_trial, ("walk",))):
        with pytest.raises(ValueError, match=r"session\.toml") as caught:
            step(request_of(session, model), *which)
        for word in words:
            assert word in str(caught.value)
    assert not (session / "warehouse").exists()


def test_a_recipe_with_a_typo(session: Path, model: str) -> None:
    from pipeline.session.recipe import read_settings
    from warehouse.settings_file import parse_toml

    assert "max_gap_s" in parse_toml(*read_settings("recipes", "gait2hip60"))["markers"]
    recipe = session / "mine.toml"
    packaged = Path(__file__).parents[2] / "pipeline" / "recipes" / "gait2hip60.toml"
    recipe.write_text(packaged.read_text("utf-8").replace("max_gap_s", "max_gab_s"), "utf-8")
    with pytest.raises(ValueError, match=r"mine\.toml.*max_gap_s.*required.*max_gab_s.*not permitted"):
        ingest_trial(request_of(session, model, str(recipe)), "walk")


def test_a_model_that_is_something_else(session: Path) -> None:
    (session / "mine.osim").write_text("<html></html>")
    with pytest.raises(ValueError, match=r"mine\.osim is not a model OpenSim can load.*Give another file with --model"):
        prepare_session(request_of(session, str(session / "mine.osim")))


# Warehouses --------------------------------------------------------------------------------------


def test_a_warehouse_that_is_a_file(session: Path, model: str) -> None:
    file = session / "file"
    file.write_text("")
    with pytest.raises(WarehouseError, match=r"a file stands where a folder is needed\. Move that file"):
        prepare_session(replace(request_of(session, model), warehouse=str(file)))
    result = CliRunner().invoke(app, ["ingest", str(session), "--warehouse", str(file), "--model", model])
    assert result.exit_code == 2
    assert str(file) in result.stderr
    assert "choose another warehouse" in result.stderr


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a disk of 64 KB; where none can be mounted, the operating system says that it is full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = _mount(disk)
    if not mounted:

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
    yield disk
    if mounted:
        subprocess.run(["umount", str(disk)], check=True)


def _mount(disk: Path) -> bool:
    if shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    return subprocess.run(command, capture_output=True).returncode == 0


def test_a_full_disk(session: Path, model: str, full_disk: Path) -> None:
    with pytest.raises(WarehouseError, match=r"the disk is full\. Free some space and run the command again") as caught:
        prepare_session(replace(request_of(session, model), warehouse=str(full_disk / "warehouse")))
    assert str(full_disk) in str(caught.value)
    left = [path for path in full_disk.rglob("*") if path.is_file()]
    assert not [path for path in left if path.suffix == ".part"]


# Nothing lost ------------------------------------------------------------------------------------


def test_a_bad_walk_stops_nothing_and_takes_nothing_away(session: Path, model: str) -> None:
    shutil.copyfile(session / "walk.c3d", session / "bad.c3d")
    edit(session / "bad.c3d", ("without_plates",))
    reconfigure(session, '"walk.c3d"', '"bad.c3d" = "preferred"\n"walk.c3d"')
    command = ["ingest", str(session), "--warehouse", str(session / "warehouse"), "--model", model, "--workers", "1"]

    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.stderr
    assert "1 accepted, 1 rejected: 1 ground reactions" in first.stdout
    assert "bad.c3d: holds no force plate" in first.stdout
    good = hashes(session / "warehouse", "walk")
    assert len(good) == len(PER_TRIAL) + 2, good

    shutil.copyfile(session / "walk.c3d", session / "bad.c3d")
    edit(session / "bad.c3d", ("without_label", "R_FCC"))
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0, again.stderr
    assert "1 accepted, 1 rejected: 1 markers" in again.stdout
    assert "1 of 2 were up to date" in again.stdout
    assert hashes(session / "warehouse", "walk") == good
