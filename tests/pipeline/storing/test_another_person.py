import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.storing.another_person import remove_another_person
from pipeline.storing.job import Job, open_job
from pipeline.storing.request import SessionRequest
from pipeline.storing.staleness import session_state
from tests.pipeline.storing.test_job import request_of, rewrite
from tests.pipeline.storing.test_store_trial import accept, job, result  # noqa: F401 - fixtures
from tests.warehouse.one_file import write_row
from tests.warehouse.samples import MADE, SESSION_ROW, trial_row
from warehouse.files.read import rows_of_trials
from warehouse.holdings.sources import SessionSource, remember_source

pytestmark = pytest.mark.osim  # a stage's key names the OpenSim that is installed


@pytest.fixture
def request_there(job, result) -> SessionRequest:  # noqa: F811
    """A session whose two walks are stored, from the folder that it names."""
    subject = job.setup.session.subject
    body = {"mass_kg": subject.mass_kg, "height_m": subject.height_m}
    write_row(job.warehouse, "sessions", job.setup.session.key, {**SESSION_ROW, **body}, **MADE)
    for trial in ("walk_01", "walk_02"):
        accept(job, result, trial)
    source = SessionSource(
        key=job.setup.session.key, session_file=str(job.setup.session.file), recipe="gait2hip60", model=None
    )
    remember_source(job.warehouse, source)
    return request_of(job.setup.session.file.parent)


@pytest.fixture
def copied(request_there: SessionRequest, tmp_path_factory: pytest.TempPathFactory) -> SessionRequest:
    """The same files in another folder, into the same warehouse."""
    folder = tmp_path_factory.mktemp("copy") / "lab"
    shutil.copytree(request_there.session_file, folder, ignore=shutil.ignore_patterns("warehouse"))
    return replace(request_of(folder), warehouse=request_there.warehouse)


def mass_of(request: SessionRequest) -> float:
    return open_job(request).setup.session.subject.mass_kg


def heavier(request: SessionRequest) -> None:
    mass_kg = mass_of(request)
    folder = Path(request.session_file)
    (line,) = [line for line in (folder / "session.toml").read_text().splitlines() if line.startswith("mass_kg")]
    rewrite(folder, line, f"mass_kg = {mass_kg + 20}")


def recorded_again(request: SessionRequest, *names: str) -> None:
    for name in names:
        (Path(request.session_file) / name).write_text(f"{name} of somebody else")


def test_the_same_files_from_another_folder_are_the_same_session(copied: SessionRequest) -> None:
    assert [trial.state for trial in session_state(copied).trials] == ["fresh", "fresh"]


def test_a_corrected_mass_and_a_walk_recorded_again_are_corrections(request_there: SessionRequest) -> None:
    heavier(request_there)
    recorded_again(request_there, "walk_02.c3d", "static.c3d")

    assert [trial.state for trial in session_state(request_there).trials] == ["stale", "stale"]


def test_all_exported_again_are_of_the_same_person(request_there: SessionRequest) -> None:
    recorded_again(request_there, "walk 01.c3d", "walk_02.c3d", "static.c3d")

    assert [trial.state for trial in session_state(request_there).trials] == ["stale", "stale"]


@pytest.mark.parametrize("trial", ["walk 01.c3d", "walk_02.c3d"])
def test_another_folders_other_recordings_are_refused(copied: SessionRequest, trial: str) -> None:
    recorded_again(copied, trial)

    with pytest.raises(ValueError, match=r"1 of its 2 accepted trials.* from other recordings: one would overwrite"):
        session_state(copied)


def test_another_folders_other_standing_trial_is_refused(copied: SessionRequest) -> None:
    recorded_again(copied, "static.c3d")

    with pytest.raises(ValueError, match=r"m from .*, the standing trial from other recordings: one would overwrite"):
        session_state(copied)


def test_another_mass_from_another_folder_is_refused(copied: SessionRequest) -> None:
    heavier(copied)

    with pytest.raises(ValueError, match=r"one would overwrite the other.*`gait2hip ingest --replace`") as refused:
        session_state(copied)

    assert f"{mass_of(copied):g} kg" in str(refused.value)
    assert f"{mass_of(copied) - 20:g} kg" in str(refused.value)
    assert session_state(replace(copied, replace=True)).trials[0].state == "stale"


def test_another_person_in_the_same_folder_is_refused(request_there: SessionRequest) -> None:
    heavier(request_there)
    recorded_again(request_there, "walk 01.c3d", "walk_02.c3d", "static.c3d")

    with pytest.raises(ValueError, match=r"2 of its 2 accepted trials from other recordings: one would overwrite"):
        session_state(request_there)


def test_where_nothing_is_stored_nobody_is_overwritten(job: Job) -> None:  # noqa: F811
    assert [trial.state for trial in session_state(request_of(job.setup.session.file.parent)).trials] == ["missing"] * 2


def test_who_is_replaced_leaves_no_trial_behind(request_there: SessionRequest) -> None:
    heavier(request_there)
    recorded_again(request_there, "walk 01.c3d", "walk_02.c3d", "static.c3d")
    rewrite(Path(request_there.session_file), '"walk_02.c3d"', "# no longer")
    replacing = open_job(request_there)

    remove_another_person(replacing)

    assert rows_of_trials(replacing.warehouse, replacing.setup.session.key) == []
    left = [file for file in Path(replacing.warehouse.root).rglob("*") if file.stem in ("walk_01", "walk_02")]
    assert left == []


def test_a_correction_replaces_nobody(request_there: SessionRequest) -> None:
    heavier(request_there)
    correcting = open_job(request_there)

    remove_another_person(correcting)

    assert len(rows_of_trials(correcting.warehouse, correcting.setup.session.key)) == 2


def test_imported_data_are_not_overwritten(job: Job) -> None:  # noqa: F811
    key = job.setup.session.key.of_trial("walk_01")
    write_row(job.warehouse, "trials", key, trial_row(), **{**MADE, "made_from": {"imported": "published.npz"}})

    with pytest.raises(ValueError, match="walk_01 was imported: one would overwrite the other"):
        session_state(request_of(job.setup.session.file.parent))
