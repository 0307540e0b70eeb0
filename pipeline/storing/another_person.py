"""Whether a session would take the place of another person's in the warehouse, and how it may."""

from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.session.session import Session
from pipeline.storing.job import Job
from warehouse.errors import WarehouseError
from warehouse.files.read import read_row, rows_of_trials, stored
from warehouse.files.storage import remove
from warehouse.holdings.contents import is_imported, trial_files
from warehouse.holdings.sources import source_of
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.provenance import file_sha256


def refuse_another_person(job: Job) -> None:
    """ValueError if the warehouse holds this session of somebody else, as far as files and session.toml tell.

    The same session file with another mass or height is a correction, as long as an accepted trial was made of a
    recording that it still names. Another file is the same session if it has the same mass, height and recordings,
    the standing one too.
    Where it is not known what file was ingested or whose body was sized, that is no reason to refuse.
    """
    session, warehouse = job.setup.session, job.warehouse
    _refuse_imported(job)
    recordings = _stored_recordings(warehouse, session.key)
    if not recordings:
        return  # Nobody's results would be lost.
    source = source_of(warehouse, session.key)
    is_same_file = source is None or _is_same_file(Path(source.session_file), session.file)
    there, here = _stored_body(warehouse, session.key), (session.subject.mass_kg, session.subject.height_m)
    is_same_body = there is None or there == here
    if is_same_file and is_same_body:
        return
    n_same = sum(_sha256(session, name) == sha256 for name, sha256 in recordings.items())
    other_static = [] if is_same_file or _is_same_static(job, next(iter(recordings))) else ["the standing trial"]
    if (is_same_file and n_same) or (is_same_body and n_same == len(recordings) and not other_static):
        return
    key, before = session.key, source.session_file if source else "an unknown file"
    differing = (
        [f"{len(recordings) - n_same} of its {len(recordings)} accepted trials"] if n_same < len(recordings) else []
    )
    other = f", {' and '.join([*differing, *other_static])} from other recordings" if differing or other_static else ""
    raise ValueError(
        f"{session.file} is session {key.cohort}/{key.subject}/{key.session} of {_told(here)}; the warehouse has that "
        f"of {_told(there)} from {before}{other}: one would overwrite the other. Correct the id in session.toml; if it "
        "is to replace what is stored, run `gait2hip ingest --replace`."
    )


def remove_another_person(job: Job) -> None:
    """Remove the stored trials of a session that is another person's, also those that this session does not name.

    Else they would stand beside the new person's, and one that fails would leave the old one's in its place.
    """
    try:
        refuse_another_person(job)
    except ValueError:
        key = job.setup.session.key
        for row in rows_of_trials(job.warehouse, key):
            # The row, which vouches for the others, is the first.
            for path in trial_files(job.warehouse, key.of_trial(str(row["trial"]))):
                remove(job.warehouse, path)


def _refuse_imported(job: Job) -> None:
    key = job.setup.session.key
    for row in rows_of_trials(job.warehouse, key):
        trial = str(row["trial"])
        # What was imported has no recording.
        if row["source_sha256"] is None and is_imported(stored(job.warehouse, "trials", key.of_trial(trial))):
            raise ValueError(
                f"{job.setup.session.file} is session {key.cohort}/{key.subject}/{key.session}, whose trial {trial} "
                "was imported: one would overwrite the other. Correct the id in session.toml; if it is to replace "
                "what is stored, run `gait2hip ingest --replace`."
            )


def _is_same_file(one: Path, other: Path) -> bool:
    return one == other or (one.is_file() and one.samefile(other))


def _stored_recordings(warehouse: Warehouse, key: SessionKey) -> dict[str, object]:
    """The SHA-256 of the recording that each accepted trial was made of, by the trial's name."""
    rows = rows_of_trials(warehouse, key)
    return {str(row["trial"]): row["source_sha256"] for row in rows if row["source_sha256"] is not None}


def _stored_body(warehouse: Warehouse, key: SessionKey) -> tuple[object, object] | None:
    try:
        row = read_row(warehouse, "sessions", key)
    except WarehouseError:
        return None  # Gone or damaged.
    return row["mass_kg"], row["height_m"]


def _is_same_static(job: Job, trial: str) -> bool:
    """Whether what shows the standing pose is what this stored trial was compared with, as far as that is known."""
    made_from = stored(job.warehouse, "trials", job.setup.session.key.of_trial(trial)).made_from
    facts = made_from.get("stages", {}).get("ground_reactions", {}).get("facts", {})
    try:
        return "static" not in facts or facts["static"] == job.session_facts()["static"]
    except TrialRejected:
        return False


def _sha256(session: Session, trial: str) -> str | None:
    named = [each.path for each in session.trials if each.name == trial and each.path.is_file()]
    return file_sha256(named[0]) if named else None


def _told(body: tuple[object, object] | None) -> str:
    return "somebody" if body is None or None in body else f"a person of {body[0]:g} kg and {body[1]:g} m"
