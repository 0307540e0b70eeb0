"""An inbox: a folder into which laboratories copy sessions. What is whole is ingested once; the rest waits or is told.

Names, sizes and modification times are polled, which works on network drives too. A session is whole when every file
that its `session.toml` names is there and nothing has changed for a while. What became of it is put beside it; that
report says of which files it speaks, so that a session is looked at again exactly when one of them changes.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows.ingest import IngestReport, Refusal
from flows.report import headline
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome
from warehouse.sources import read_sources

REPORT_JSON, REPORT_TEXT = "gait2hip-report.json", "gait2hip-report.txt"
RECORDING_SUFFIX = ".c3d"
# Copying programs pause, and network drives show sizes late.
SETTLE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A folder of the inbox that holds a session or recordings. `of`: a digest of its files' names, sizes and times."""

    folder: Path
    of: str
    key: SessionKey | None = None
    problem: str = ""
    awaited: tuple[str, ...] = ()

    @property
    def session_file(self) -> Path:
        """Where its session file is, or should be."""
        from pipeline.session import SESSION_FILE

        return self.folder / SESSION_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """One look at the inbox: sessions to ingest, still coming, to be reported as they are, and reported already."""

    whole: tuple[Arrival, ...] = ()
    coming: tuple[Arrival, ...] = ()
    broken: tuple[Arrival, ...] = ()
    done: tuple[Arrival, ...] = ()


@dataclass(slots=True, kw_only=True)
class Inbox:
    """A folder and what was seen in it: since when each arrival has looked as it does."""

    folder: Path
    settle_s: float = SETTLE_S
    _since: dict[tuple[Path, str], float] = field(default_factory=dict)

    def sort(self, now_s: float) -> Sorted:
        """Look at everything. ValueError if the folder isn't there; what is wrong in it is no error."""
        if not self.folder.is_dir():
            raise ValueError(f"the inbox {self.folder} is not a folder. Make it, or correct the configuration's inbox.")
        arrivals = list(_arrivals(self.folder))
        current = {(arrival.folder, arrival.of) for arrival in arrivals}
        self._since = {seen: self._since.get(seen, now_s) for seen in current}
        found: dict[str, list[Arrival]] = {"whole": [], "coming": [], "broken": [], "done": []}
        for arrival in arrivals:
            found[self._state(arrival, now_s)].append(arrival)
        return Sorted(**{state: tuple(members) for state, members in found.items()})

    def _state(self, arrival: Arrival, now_s: float) -> str:
        if _reported(arrival.folder) == arrival.of:
            return "done"
        if now_s - self._since[arrival.folder, arrival.of] < self.settle_s:
            return "coming"
        return "broken" if arrival.problem or arrival.awaited else "whole"


# Ingests these session files; a session that can't be run is among what it refused.
Runner = Callable[[Sequence[Path]], IngestReport]


def take(found: Sorted, warehouse: str, run: Runner) -> IngestReport:
    """Ingest what is whole, by `run`, and report on it and on what is broken, beside each.

    A session that can't be run as configured, or that another folder has brought already, is reported, and the others
    run. WarehouseError if the warehouse can't be read; whatever `run` raises, which leaves what it did not finish to
    the next time.
    """
    for arrival in found.broken:
        write_report(arrival, (), _why_broken(arrival))
    new, refused = _not_taken_before(found.whole, warehouse)
    report = run([arrival.session_file for arrival in new]) if new else IngestReport(outcomes=(), refused=())
    report = IngestReport(outcomes=report.outcomes, refused=report.refused + refused)
    reasons = {refusal.session: refusal.reason for refusal in report.refused}
    for arrival in found.whole:
        outcomes = tuple(outcome for outcome in report.outcomes if outcome.key.session_key == arrival.key)
        reason = reasons.get(str(arrival.session_file), "")
        if outcomes or reason:
            write_report(arrival, outcomes, reason)
    return report


def write_report(arrival: Arrival, outcomes: Sequence[Outcome], problem: str) -> None:
    """Put what became of a session beside it, for its laboratory and for the next look. OSError if it can't be put."""
    trials = [
        {"trial": outcome.key.trial, "status": outcome.status, "stage": outcome.stage, "reason": outcome.reason}
        for outcome in outcomes
    ]
    _replace(arrival.folder / REPORT_TEXT, "\n".join(_lines(outcomes, problem)) + "\n")
    # Last, since it says that the report is there.
    content = {"of": arrival.of, "problem": problem, "trials": trials}
    _replace(arrival.folder / REPORT_JSON, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _arrivals(inbox: Path) -> Iterator[Arrival]:
    from pipeline.session import SESSION_FILE

    sessions = {file.parent for file in inbox.rglob(SESSION_FILE)}
    strays = {file.parent for file in inbox.rglob("*") if file.suffix.lower() == RECORDING_SUFFIX} - sessions
    for folder in sorted(sessions):
        yield _session_arrival(folder)
    for folder in sorted(strays):
        # Recordings may lie below their session's file.
        if not sessions.intersection(folder.parents):
            yield _stray_arrival(folder)


def _session_arrival(folder: Path) -> Arrival:
    from pipeline.session import SESSION_FILE, load_session

    file = folder / SESSION_FILE
    try:
        session = load_session(file)
    except (ValueError, OSError) as error:
        return Arrival(folder=folder, of=_digest(folder, [file]), problem=str(error))
    files = [file, session.static, *(trial.path for trial in session.trials)]
    if session.profile.endswith(".toml"):
        files.append(Path(session.profile))
    missing = tuple(sorted(path.name for path in files if not path.is_file()))
    return Arrival(folder=folder, of=_digest(folder, files), key=session.key, awaited=missing)


def _stray_arrival(folder: Path) -> Arrival:
    recordings = [file for file in folder.iterdir() if file.suffix.lower() == RECORDING_SUFFIX]
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
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _reported(folder: Path) -> str | None:
    try:
        of = json.loads((folder / REPORT_JSON).read_text("utf-8"))["of"]
    except (OSError, ValueError, KeyError, TypeError):
        # None there, or not one of ours: looking again costs little and loses nothing.
        return None
    return of if isinstance(of, str) else None


def _not_taken_before(arrivals: Sequence[Arrival], warehouse: str) -> tuple[tuple[Arrival, ...], tuple[Refusal, ...]]:
    """Those that don't take the place of another folder's session, and why the others may not."""
    taken = {source.key: Path(source.session_file) for source in read_sources(Warehouse(warehouse))}
    new, refused = [], []
    for arrival in arrivals:
        file = arrival.session_file.absolute()
        before = taken.get(arrival.key, file) if arrival.key else file
        if before != file and before.is_file():
            reason = (
                f"{file} and {before} are both session {arrival.key}, and the warehouse holds the latter's: one would "
                "overwrite the other. Correct one session's id, or remove one folder."
            )
            refused.append(Refusal(session=str(arrival.session_file), reason=reason))
        else:
            new.append(arrival)
    return tuple(new), tuple(refused)


def _why_broken(arrival: Arrival) -> str:
    if arrival.problem:
        return arrival.problem
    return (
        f"{arrival.session_file} names files that have not come: {', '.join(arrival.awaited)}. Copy them, or take them "
        "out of session.toml; the session is taken when it is whole."
    )


def _lines(outcomes: Sequence[Outcome], problem: str) -> Iterator[str]:
    if problem:
        yield f"not ingested: {problem}"
    if outcomes:
        yield headline(IngestReport(outcomes=tuple(outcomes), refused=()))
    for outcome in outcomes:
        told = f"accepted, {outcome.n_cycles} gait cycles" if outcome.status == "accepted" else "rejected"
        yield f"  {outcome.key.trial}: {told}" + (f" at {outcome.stage}: {outcome.reason}" if outcome.stage else "")


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, "utf-8")
    partial.replace(path)
