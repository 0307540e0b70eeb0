"""`gait2hip release`."""

from typing import Annotated

import typer

from flows.commands.common import WarehouseOption, existing_warehouse, plain_errors


def release(
    warehouse: WarehouseOption,
    name: Annotated[str, typer.Option(metavar="N", help="The release's name; a hash of its content is added.")],
    cohort: Annotated[list[str] | None, typer.Option(metavar="C", help="Only this cohort. May be repeated.")] = None,
    condition: Annotated[
        list[str] | None, typer.Option(metavar="C", help="Only this condition. May be repeated.")
    ] = None,
    subject: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this subject, or cohort/subject. May be repeated.")
    ] = None,
    recipe: Annotated[
        list[str] | None, typer.Option(metavar="R", help="Only what this recipe made. May be repeated.")
    ] = None,
    turns: Annotated[
        bool, typer.Option("--turns", help="Trials in which the walker turns by more than 20° over a stride, too.")
    ] = False,
    points: Annotated[
        int | None, typer.Option(metavar="P", help="Samples per cycle, such as 101; default: as stored (180).")
    ] = None,
    sides: Annotated[
        str, typer.Option(metavar="right|both", help="Whose cycles; left ones are read as right.")
    ] = "both",
    holdout: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A subject for the test only. May be repeated, or ID,ID.")
    ] = None,
    holdout_fraction: Annotated[
        float | None, typer.Option(metavar="F", help="Draw this share of the subjects for the test, with --seed.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="S", help="The draw's seed.")] = None,
    licence: Annotated[str | None, typer.Option(metavar="TEXT", help="What the dataset card says of it.")] = None,
) -> None:
    """Freeze accepted gait cycles into an immutable training set with its card, split and statistics."""
    with plain_errors():
        from reports.audit.release import audit_for_release
        from reports.audit.table import audit_summary
        from reports.audit.verdict import parse_audit
        from warehouse.release.build import ReleaseOrder, build_release
        from warehouse.release.cycles_file import Sampling
        from warehouse.release.manifest import AUDIT_FILE
        from warehouse.release.selection import Selection, parse_sides
        from warehouse.release.split import splitter

        order = ReleaseOrder(
            name=name,
            selection=Selection(
                cohorts=tuple(cohort or ()),
                conditions=tuple(condition or ()),
                subjects=tuple(subject or ()),
                recipes=tuple(recipe or ()),
                turns=turns,
            ),
            sampling=Sampling(sides=parse_sides(sides), points=points),
            split=splitter([one for text in holdout or () for one in text.split(",")], holdout_fraction, seed),
            audit=audit_for_release,
            licence=licence,
        )
        released = build_release(existing_warehouse(warehouse), order)
        manifest = released.manifest
        typer.echo(
            f"{manifest.n_cycles} gait cycles ({manifest.n_complete} with every target) of {manifest.n_trials} trials "
            f"of {manifest.n_subjects} subjects"
        )
        audited = parse_audit(AUDIT_FILE, released.read(AUDIT_FILE))
        typer.echo(f"audit: {audit_summary(audited)}")
        typer.echo(f"wrote {released.root.root}")
