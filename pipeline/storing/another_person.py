"""Whether a session would take the place of another person's in the warehouse."""

from pipeline.errors import TrialRejected
from pipeline.session.session import Session
from pipeline.storing.job import Job
from warehouse.errors import MissingFile
from warehouse.files.read import read_row
from warehouse.files.storage import files_under
from warehouse.holdings.sources import source_of
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse, trials_directory
from warehouse.provenance import file_sha256


def refuse_another_person(job: Job) -> None:
    """ValueError if the warehouse holds this session of somebody else, as far as files and session.toml tell.

    The same file with another mass or height is a correction as long as one of its recordings is still one that an
    accepted trial was made of; another file is the same session if all of these recordings are in it. Everybody else
    is told who is there. WarehouseError if what is stored can't be read.
    """
    session, warehouse = job.setup.session, job.warehouse
    stored = _stored_recordings(warehouse, session.key)
    if not stored:
        return  # Nobody's results would be lost.
    try:
        row = read_row(warehouse, "sessions", session.key)
    except MissingFile:
        return
    source = source_of(warehouse, session.key)
    before = source.session_file if source else "another source"
    is_same_file = before == str(session.file)
    there, here = (row["mass_kg"], row["height_m"]), (session.subject.mass_kg, session.subject.height_m)
    if is_same_file and there == here:
        return
    same = [name for name, sha256 in stored.items() if _sha256_of(session, name) == sha256]
    if same and (is_same_file or (there == here and len(same) == len(stored))):
        return
    key = session.key
    raise ValueError(
        f"{session.file} is session {key.cohort}/{key.subject}/{key.session} of a person of {here[0]:g} kg and "
        f"{here[1]:g} m; the warehouse has that of {there[0]:g} kg and {there[1]:g} m from {before}, and "
        f"{len(stored) - len(same)} of its {len(stored)} trials are of other recordings: one would overwrite the other. "
        "Correct the id in session.toml; if this is to replace what is stored, run `gait2hip ingest --replace`."
    )


def _stored_recordings(warehouse: Warehouse, key: SessionKey) -> dict[str, str]:
    """The SHA-256 of the recording that each accepted trial was made of, by the trial's name."""
    rows = []
    for path in files_under(warehouse, trials_directory(warehouse, key)):
        rows.append(read_row_at(warehouse, "trials", path))
    return {str(row["trial"]): str(row["source_sha256"]) for row in rows if row["source_sha256"] is not None}
