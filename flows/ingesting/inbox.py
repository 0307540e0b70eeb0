"""An inbox: a folder into which laboratories copy sessions. Complete ones are ingested once.

The others wait, or get a report that says what they lack.

Names, sizes and modification times are polled, which works on network drives too. A session is whole when every file
that its `session.toml` names is there and nothing has changed for a while. What became of it is put beside it; that
report says of which files it speaks: a session is looked at again exactly when one of them changes, or when what
kept it from being ingested may have passed. What may come in is said by `inbox_border.py`; whatever is wrong with one
folder, the others are taken.
"""

import errno
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from flows.ingesting.inbox_border import (
    checked_session,
    files_of,
    put_report,
    read_report,
    why_closed,
)
from flows.ingesting.report import INGESTING, PREPARING, PROCESSING, STORING, IngestReport, Refusal, headline
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.holdings.sources import read_sources
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome
from warehouse.provenance import file_sha256

REPORT_JSON, REPORT_TEXT = "gait2hip-report.json", "gait2hip-report.txt"
# Copying programs pause, and network drives show sizes late.
INBOX_SETTLE_S = 30.0
# Stages at which a fault rejects a trial that may pass: a crash, a full disk, a lost worker. So often it is tried.
PASSING_STAGES = (INGESTING, PREPARING, PROCESSING, STORING)
MOST_TRIES = 3
# How folders begin that programs keep for themselves: what was deleted, snapshots.
_HIDDEN = (".", "#", "@", "$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A folder of the inbox that holds a session or recordings. `of`: a digest of its files' names, sizes and times.

    `awaited` are files that it names and lacks, `unlisted` recordings that it has and doesn't name.
    """

    folder: Path
    of: str
    key: SessionKey | None = None
    problem: str = ""
    awaited: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def session_file(self) -> Path:
        """Where its session file is, or should be."""
        from pipeline.session.session import SESSION_FILE

        return self.folder / SESSION_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """One look at the inbox: sessions to ingest, still coming, to be told what they lack, and ingested as they are."""

    whole: tuple[Arrival, ...] = ()
    coming: tuple[Arrival, ...] = ()
    broken: tuple[Arrival, ...] = ()
    done: tuple[Arrival, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was ingested and refused, and which reports could not be put beside their sessions."""

    report: IngestReport
    unwritten: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Inbox:
    """A folder and what was seen in it: since when each arrival has looked as it does.

    `profiles` are the folders that sessions may name profiles from.
    """

    folder: Path
    profiles: Sequence[Path] = ()
    settle_s: float = INBOX_SETTLE_S
    _since: dict[tuple[Path, str], float] = field(default_factory=dict)

    def sort(self, now_s: float) -> Sorted:
        """Look at everything. ValueError if the folder isn't there; what is wrong in it is no error."""
        if not self.folder.is_dir():
            raise ValueError(f"the inbox {self.folder} is not a folder. Make it, or correct the configuration's inbox.")
        arrivals = list(_arrivals(self.folder, self.profiles))
        current = {(arrival.folder, arrival.of) for arrival in arrivals}
        self._since = {seen: self._since.get(seen, now_s) for seen in current}
        by_state: dict[str, list[Arrival]] = {"whole": [], "coming": [], "broken": [], "done": []}
        for arrival in arrivals:
            by_state[self._state(arrival, now_s)].append(arrival)
        return Sorted(**{state: tuple(members) for state, members in by_state.items()})

    def _state(self, arrival: Arrival, now_s: float) -> str:
        told = read_report(arrival.folder / REPORT_JSON)
        if told.get("of") == arrival.of and told.get("final"):
            return "done"
        if now_s - self._since[arrival.folder, arrival.of] < self.settle_s:
            return "coming"
        return "broken" if arrival.problem or arrival.awaited else "whole"


# Ingests these session files; a session that can't be run is among what it refused.
Runner = Callable[[Sequence[Path]], IngestReport]


def take(arrivals: Sorted, warehouse: str, run: Runner) -> Taken:
    """Ingest what is whole, by `run`, and report on it and on what is broken, beside each.

    A session that can't be run as configured, or would take another's place, is reported, and the others run; it is
    looked at again the next time. WarehouseError if the warehouse can't be read; whatever `run` raises, and then what
    it did not finish is left to the next time.
    """
    new, refused = _not_taken_before(arrivals.whole, Warehouse(warehouse))
    report = run([arrival.session_file for arrival in new]) if new else IngestReport(outcomes=(), refused=())
    report = IngestReport(outcomes=report.outcomes, refused=report.refused + refused)
    reasons = {refusal.session: refusal.reason for refusal in report.refused}
    unwritten = []
    for arrival in (*arrivals.whole, *arrivals.broken):
        problem = reasons.get(str(arrival.session_file)) or why_broken(arrival)
        outcomes = [outcome for outcome in report.outcomes if outcome.key.session_key == arrival.key and not problem]
        if not outcomes and not problem:
            continue
        try:
            write_report(arrival, outcomes, problem)
        except OSError as error:
            unwritten.append(f"{arrival.folder}: no report could be put there ({error.strerror or error}). {problem}")
    return Taken(report=report, unwritten=tuple(unwritten))


def write_report(arrival: Arrival, outcomes: Sequence[Outcome], problem: str) -> None:
    """Put what became of a session beside it, for its laboratory and for the next look. OSError if it can't be put."""
    report = IngestReport(outcomes=tuple(outcomes), refused=())
    trials = [
        {
            "trial": outcome.key.trial,
            "status": status_of(outcome),
            "stage": None if outcome.rejection is None else outcome.rejection.stage,
            "reason": None if outcome.rejection is None else outcome.rejection.reason,
        }
        for outcome in outcomes
    ]
    if why_closed(arrival.folder):
        raise PermissionError(errno.EACCES, "a link, or not to be opened", str(arrival.folder))
    before = read_report(arrival.folder / REPORT_JSON)
    tried = before.get("tries") if before.get("of") == arrival.of else 0
    tries = 1 + (tried if isinstance(tried, int) else 0)
    passing = any(stage in PASSING_STAGES for stage in report.rejections_by_stage)
    final = not problem and (not passing or tries >= MOST_TRIES)
    put_report(arrival.folder / REPORT_TEXT, "\n".join(_lines(arrival, outcomes, problem)) + "\n")
    # Last, since it says that the report is there.
    content = {"of": arrival.of, "final": final, "problem": problem, "trials": trials}
    if passing:
        content["tries"] = tries
    put_report(arrival.folder / REPORT_JSON, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _arrivals(inbox: Path, profiles: Sequence[Path]) -> Iterator[Arrival]:
    from pipeline.session.session import RECORDING_SUFFIXES, SESSION_FILE

    files = [file for file in inbox.rglob("*") if not _is_hidden(file.relative_to(inbox))]
    sessions = {file.parent for file in files if file.name == SESSION_FILE}
    strays = {file.parent for file in files if file.suffix.lower() in RECORDING_SUFFIXES} - sessions
    for folder in sorted(folder for folder in files if why_closed(folder)):
        yield Arrival(folder=folder, of=_digest(folder, []), problem=why_closed(folder))
    for folder in sorted(sessions):
        yield _arrival(folder, lambda folder: _session_arrival(folder, profiles))
    for folder in sorted(strays):
        # Recordings may lie below their session's file.
        if not sessions.intersection(folder.parents):
            yield _arrival(folder, _stray_arrival)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(_HIDDEN) for part in path.parts)


def _arrival(folder: Path, look: Callable[[Path], Arrival]) -> Arrival:
    try:
        return look(folder)
    # Its writer is not trusted: whatever goes wrong with one folder is told beside it, and costs no other.
    except Exception as error:
        arrival = Arrival(folder=folder, of="")
        of = _digest(folder, [arrival.session_file])
        return replace(arrival, of=of, problem=_said(arrival.session_file, error))


def _said(file: Path, error: Exception) -> str:
    if isinstance(error, ValueError) and str(error).startswith(str(file)):
        return str(error)
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return f"{file} can't be taken: {reason or type(error).__name__}. Correct what it names, or its permissions."


def _session_arrival(folder: Path, profiles: Sequence[Path]) -> Arrival:
    from pipeline.session.session import SESSION_FILE

    session = checked_session(folder / SESSION_FILE, profiles)
    files = [*files_of(session)]
    if session.profile.endswith(".toml"):
        files.append(Path(session.profile))
    missing = tuple(sorted(path.name for path in files if not path.is_file()))
    unlisted = _unlisted(folder, files)
    of = _digest(folder, [*files, *unlisted])
    names = tuple(file.relative_to(folder).as_posix() for file in unlisted)
    return Arrival(folder=folder, of=of, key=session.key, awaited=missing, unlisted=names)


def _unlisted(folder: Path, named: Sequence[Path]) -> list[Path]:
    """Recordings in and under a session's folder that it doesn't name, and no other session's folder below holds."""
    from pipeline.session.session import RECORDING_SUFFIXES, SESSION_FILE

    others = {file.parent for file in folder.rglob(SESSION_FILE)} - {folder}
    known = {file.resolve() for file in named}
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in RECORDING_SUFFIXES
        and not _is_hidden(file.relative_to(folder))
        and file.resolve() not in known
        and not others.intersection(file.parents)
    )


def _stray_arrival(folder: Path) -> Arrival:
    from pipeline.session.session import RECORDING_SUFFIXES

    recordings = [file for file in folder.iterdir() if file.suffix.lower() in RECORDING_SUFFIXES]
    return Arrival(
        folder=folder,
        of=_digest(folder, recordings),
        problem=f"{folder} holds recordings but no session.toml. Write it: gait2hip init-session {folder}",
    )


def _digest(folder: Path, files: Sequence[Path]) -> str:
    """Of names, sizes and times, whatever the place that the folder has been moved to."""
    parts = []
    for file in sorted(files):
        name = file.relative_to(folder) if file.is_relative_to(folder) else file
        try:
            seen = file.stat()
        except OSError:
            parts.append(f"{name.as_posix()} missing")
        else:
            parts.append(f"{name.as_posix()} {seen.st_size} {seen.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _not_taken_before(
    arrivals: Sequence[Arrival], warehouse: Warehouse
) -> tuple[tuple[Arrival, ...], tuple[Refusal, ...]]:
    """Those that don't take the place of another folder's session, and why the others may not."""
    taken = {source.key: Path(source.session_file) for source in read_sources(warehouse)}
    new, refused = [], []
    for arrival in arrivals:
        assert arrival.key is not None, "a whole session has been read"
        file = arrival.session_file.absolute()
        before = taken.get(arrival.key, file)
        try:
            may = before == file or (not before.is_file() and _same_recordings(arrival, warehouse))
        except (OSError, ValueError, WarehouseError) as error:
            # It has changed since it was looked at, or what is stored of it is damaged.
            refused.append(Refusal(session=str(arrival.session_file), reason=_said(arrival.session_file, error)))
            continue
        if may:
            new.append(arrival)
            continue
        where = "" if before.is_file() else ", which is gone, from other recordings"
        reason = (
            f"{file} is session {_spelt(arrival.key)}, and the warehouse has that from {before}{where}: one would "
            "overwrite the other. Correct one session's id, or, to replace the other, run `gait2hip ingest` by hand."
        )
        refused.append(Refusal(session=str(arrival.session_file), reason=reason))
    return tuple(new), tuple(refused)


def _same_recordings(arrival: Arrival, warehouse: Warehouse) -> bool:
    """Whether a folder holds what the warehouse's accepted trials of its session were made of: it was moved."""
    from pipeline.session.session import load_session

    key, here = (
        arrival.key,
        {trial.name: trial.path for trial in load_session(arrival.session_file, follow_link=False).trials},
    )
    assert key is not None, "a whole session has been read"
    stored = read.rows_of_trials(warehouse, key)
    accepted = {str(row["trial"]): row["source_sha256"] for row in stored if row["source_sha256"] is not None}
    return all(name in here and file_sha256(here[name]) == sha256 for name, sha256 in accepted.items())


def _spelt(key: SessionKey) -> str:
    return f"{key.cohort}/{key.subject}/{key.session}"


def why_broken(arrival: Arrival) -> str:
    """Why an arrival can't be taken as it is; "" if nothing is known against it."""
    if arrival.problem or not arrival.awaited:
        return arrival.problem
    return (
        f"{arrival.session_file} names files that have not come: {', '.join(arrival.awaited)}. Copy them, or take them "
        "out of session.toml; the session is taken when it is whole."
    )


def status_of(outcome: Outcome) -> str:
    """What became of a trial, in a word or two."""
    if not outcome.accepted:
        return "rejected"
    return "kinematics only" if outcome.kinematics_only else "accepted"


def _lines(arrival: Arrival, outcomes: Sequence[Outcome], problem: str) -> Iterator[str]:
    if problem:
        yield f"not ingested: {problem}"
    if outcomes:
        yield headline(IngestReport(outcomes=tuple(outcomes), refused=()))
    for outcome in outcomes:
        accepted = f"{status_of(outcome)}, {outcome.n_cycles} gait cycles"
        yield f"  {outcome.key.trial}: " + (accepted if outcome.accepted else f"rejected at {outcome.rejection}")
    if arrival.unlisted:
        yield f"not in session.toml, and not looked at: {', '.join(arrival.unlisted)}"
