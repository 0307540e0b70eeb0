"""What a person sees of an ingest: a progress bar while it runs, and a table of what became of each trial."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from flows.ingesting.ingest import IngestReport, Listener
from warehouse.outcome import Outcome


@contextmanager
def progress_bar() -> Iterator[Callable[[int], Listener]]:
    """A bar on standard error if that is a terminal; gives what `ingest` takes as `on_progress`."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("starting", total=None)

        def watch(n_trials: int) -> Listener:
            progress.update(bar, total=n_trials, description="trials")

            def advance(outcome: Outcome | None) -> None:
                progress.update(bar, advance=1, description="" if outcome is None else str(outcome.key))

            return advance

        yield watch


def print_report(report: IngestReport) -> None:
    """The counts, the rejected trials with stage and reason, and the sessions that were refused."""
    console = Console(file=sys.stdout)
    print(headline(report))
    if report.rejected and console.is_terminal:
        console.print(_rejections(report))
    elif report.rejected:
        # A file or another program reads this: one line a trial.
        for outcome in report.rejected:
            print(f"{outcome.key}: {outcome.stage}: {outcome.reason}")
    for refusal in report.refused:
        print(f"gait2hip: not run: {refusal.reason}", file=sys.stderr)


def headline(report: IngestReport) -> str:
    """One line: how many trials were accepted and rejected, by which stages, and how much there was to do."""
    parts = [f"{len(report.accepted)} accepted", f"{len(report.rejected)} rejected"]
    if report.refused:
        parts.append(f"{len(report.refused)} sessions not run")
    line = ", ".join(parts)
    if report.rejected:
        line += ": " + ", ".join(f"{count} {stage}" for stage, count in report.rejections_by_stage.items())
    n_fresh = sum(outcome.fresh for outcome in report.outcomes)
    n_cycles = sum(outcome.n_cycles for outcome in report.accepted)
    return f"{line}; {n_cycles} gait cycles; {n_fresh} of {len(report.outcomes)} were up to date"


def _rejections(report: IngestReport) -> Table:
    table = Table("rejected trial", "stage", "reason")
    for outcome in report.rejected:
        table.add_row(str(outcome.key), outcome.stage, escape(outcome.reason or ""))
    return table
