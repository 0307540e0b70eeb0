"""What became of an ingest, and what a person sees of it: a progress bar, counts, and why trials were rejected."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from flows.ingesting.warnings_in_words import warning_lines
from warehouse.holdings.told import RejectedAlike, rejected_once
from warehouse.identity import TrialKey
from warehouse.outcome import Outcome

EXIT_ACCEPTED = 0
EXIT_INCOMPLETE = 2
EXIT_NONE_ACCEPTED = 3

# The stage of a trial whose result the disk did not take.
STORING = "storing"
# Where a call in a worker process, or the code around it, failed.
PREPARING, PROCESSING, INGESTING = "prepare_session", "process_trial", "ingest"

# Called with each finished trial's outcome; with None where its session was refused.
OutcomeListener = Callable[[Outcome | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A session that was not run because its configuration is wrong."""

    session: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What became of every trial, in the order of their keys, and the sessions that were refused."""

    outcomes: tuple[Outcome, ...]
    refused: tuple[Refusal, ...]

    def __add__(self, other: "IngestReport") -> "IngestReport":
        """Both together."""
        outcomes = sorted(self.outcomes + other.outcomes, key=lambda outcome: outcome.key)
        return IngestReport(outcomes=tuple(outcomes), refused=self.refused + other.refused)

    @property
    def accepted(self) -> tuple[Outcome, ...]:
        """Trials that gave targets."""
        return tuple(outcome for outcome in self.outcomes if outcome.accepted and not outcome.kinematics_only)

    @property
    def of_kinematics(self) -> tuple[Outcome, ...]:
        """Trials that gave joint angles only, as their sessions ask."""
        return tuple(outcome for outcome in self.outcomes if outcome.accepted and outcome.kinematics_only)

    @property
    def rejected(self) -> tuple[Outcome, ...]:
        """Trials that gave nothing."""
        return tuple(outcome for outcome in self.outcomes if not outcome.accepted)

    @property
    def computed(self) -> tuple[TrialKey, ...]:
        """The trials that gave a result, and that this run made: what they warn of is news."""
        return tuple(outcome.key for outcome in self.outcomes if outcome.accepted and not outcome.fresh)

    @property
    def rejections_by_stage(self) -> dict[str, int]:
        """How many trials each stage rejected, most first."""
        stages = (outcome.rejection.stage for outcome in self.outcomes if outcome.rejection is not None)
        return dict(Counter(stages).most_common())

    @property
    def exit_code(self) -> int:
        """2 if a session was refused or a result not stored (the rest was run), else 0 if any gave a result, else 3."""
        if self.refused or STORING in self.rejections_by_stage:
            return EXIT_INCOMPLETE
        return EXIT_ACCEPTED if self.accepted or self.of_kinematics else EXIT_NONE_ACCEPTED


@contextmanager
def progress_bar() -> Iterator[Callable[[int], OutcomeListener]]:
    """A bar on standard error if that is a terminal; gives what `run_plan` takes as `on_progress`."""
    if not sys.stderr.isatty():
        yield lambda _: lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("starting", total=None)

        def watch(n_trials: int) -> OutcomeListener:
            progress.update(bar, total=n_trials, description="trials")

            def advance(outcome: Outcome | None) -> None:
                progress.update(bar, advance=1, description="" if outcome is None else str(outcome.key))

            return advance

        yield watch


def print_report(report: IngestReport, warnings: Mapping[TrialKey, Sequence[str]]) -> None:
    """The counts, the rejected trials with stage and reason, what the others warn of, and what was refused."""
    print(headline(report))
    rejected = rejected_once(
        (outcome.key, outcome.rejection.stage, outcome.rejection.reason)
        for outcome in report.rejected
        if outcome.rejection is not None
    )
    if rejected and sys.stdout.isatty():
        _print_table(rejected)
    else:
        # A file or another program reads this: one line a reason.
        for alike in rejected:
            print(f"{alike.names}: {alike.stage}: {alike.reason}")
    for line in warning_lines(warnings):
        print(line)
    print_refusals("not run", report.refused)


def print_refusals(what: str, refused: Iterable[Refusal]) -> None:
    """Why sessions were refused, on standard error: a reason that several share, such as a wrong recipe, once."""
    for reason, count in Counter(refusal.reason for refusal in refused).items():
        sessions = f" ({count} sessions)" if count > 1 else ""
        print(f"gait2hip: {what}: {reason}{sessions}", file=sys.stderr)


def headline(report: IngestReport) -> str:
    """One line: how many trials were accepted and rejected, by which stages, and how much there was to do.

    Trials of kinematics only are counted apart, in the words of `gait2hip status`.
    """
    angles = [f"{len(report.of_kinematics)} of kinematics only"] if report.of_kinematics else []
    parts = [f"{len(report.accepted)} accepted", *angles, f"{len(report.rejected)} rejected"]
    if report.refused:
        parts.append(f"{len(report.refused)} session{'' if len(report.refused) == 1 else 's'} not run")
    line = ", ".join(parts)
    if report.rejected:
        stages = report.rejections_by_stage.items()
        line += ": " + ", ".join(f"{count} {stage.replace('_', ' ')}" for stage, count in stages)
    n_fresh = sum(outcome.fresh for outcome in report.outcomes)
    n_cycles = sum(outcome.n_cycles for outcome in report.accepted)
    return f"{line}; {n_cycles} gait cycles; {n_fresh} of {len(report.outcomes)} were up to date"


def _print_table(rejected: Sequence[RejectedAlike]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("rejected", "stage", "reason")
    for alike in rejected:
        table.add_row(escape(alike.names), alike.stage.replace("_", " "), escape(alike.reason))
    Console(file=sys.stdout).print(table)
