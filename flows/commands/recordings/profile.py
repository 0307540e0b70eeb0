"""`gait2hip profile`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.common import plain_errors

if TYPE_CHECKING:
    from pipeline.records import BodyFigure, Recording
    from pipeline.session.propose_profile import ProposedProfile
    from pipeline.sizing.standing_body import StandingBody
    from reports.pages.profile import ProfileBody


def profile(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="LAB.toml", help="The profile to write.")],
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[STATIC [WALK …]]", help="A static trial, and walks, which tell what moves together."),
    ] = None,
    markers_from: Annotated[
        Path | None,
        typer.Option(metavar="MODEL.osim", help="Take an OpenSim model's marker set instead of recordings' labels."),
    ] = None,
    mass_kg: Annotated[float | None, typer.Option("--mass", help="Of who stands, kg, if the file doesn't say.")] = None,
    height_m: Annotated[float | None, typer.Option("--height", help="Theirs, m, if the file doesn't say.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over existing files.")] = False,
) -> None:
    """Propose a laboratory's profile: what each label means, what stays unknown; and a page with the static trial.

    The page lies beside the profile, with the ending .html.
    """
    with plain_errors():
        if output.suffix.lower() != ".toml" or not output.absolute().parent.is_dir():
            raise ValueError(f"{output} is no place for a profile: give a .toml file in a folder that exists.")
        page = output.with_suffix(".html")
        there = [path for path in (output, *([] if markers_from else [page])) if path.exists()]
        if there and not force:
            raise ValueError(f"{there[0]} exists already and is not overwritten. Remove it, or pass --force.")
        if markers_from is not None:
            _from_model(markers_from, output)
        elif recordings:
            _from_recordings(recordings, output, page, mass_kg, height_m)
        else:
            raise ValueError("give a static trial and walks, or a model with --markers-from MODEL.osim.")


def _from_model(model: Path, output: Path) -> None:
    from pipeline.osim.models.marker_set import read_marker_set
    from pipeline.session.profile_of_model import full_profile_text, profile_of_marker_set
    from warehouse.provenance import file_sha256

    markers = read_marker_set(model)
    found = profile_of_marker_set(output.stem, model.name, file_sha256(model), markers)
    output.write_text(full_profile_text(found), "utf-8")
    typer.echo(f"{len(found.markers)} markers at their places on {model.name}; wrote {output}")
    typer.echo(
        f"use it with that model, no other: gait2hip ingest … --model {model}, or `scaled_model` in session.toml"
    )


def _from_recordings(
    recordings: list[Path], output: Path, page: Path, mass_kg: float | None, height_m: float | None
) -> None:
    from pipeline.recordings.read_recording import read_recording
    from pipeline.session.propose_profile import profile_text, proposal_in_words, propose_profile, told_labels
    from reports.pages.profile import profile_page

    read = [read_recording(path) for path in recordings]
    proposed = propose_profile(output.stem, read)
    body, why_none = _body(proposed, read[0], mass_kg, height_m)
    output.write_text(profile_text(proposed), "utf-8")
    page.write_text(
        profile_page(
            f"Profile {output.stem}: {recordings[0].name}",
            told_labels(proposed),
            [*proposed.undetermined, *([proposed.missing] if proposed.missing else [])],
            body,
            why_none,
        ),
        "utf-8",
    )
    typer.echo(proposal_in_words(proposed))
    typer.echo(f"wrote {output} and {page}")


def _body(
    proposed: "ProposedProfile", static: "Recording", mass_kg: float | None, height_m: float | None
) -> tuple["ProfileBody | None", str]:
    """The body that the static trial gives, or why there is none."""
    from pipeline.errors import TrialRejected
    from pipeline.session.recipe import PACKAGED_RECIPE, load_recipe
    from pipeline.session.session import Subject
    from pipeline.sizing.standing_body import standing_body

    mass_kg, height_m = mass_kg or static.subject.mass_kg, height_m or static.subject.height_m
    if proposed.missing:
        return None, f"No body can be estimated yet: {proposed.missing}"
    if mass_kg is None or height_m is None:
        return None, f"{static.path.name} states no mass or no height: pass --mass and --height to see the body."
    if not (10 <= mass_kg <= 250 and 0.8 <= height_m <= 2.4):
        raise ValueError(f"--mass {mass_kg:g} --height {height_m:g}: expected 10-250 kg and 0.8-2.4 m.")
    try:
        subject = Subject(id="static", mass_kg=mass_kg, height_m=height_m)
        standing = standing_body(proposed.profile, static, subject, load_recipe(PACKAGED_RECIPE).scaling)
    except TrialRejected as rejected:
        return None, f"No body was found: {rejected.reason}"
    return _page_body(standing), ""


def _page_body(standing: "StandingBody") -> "ProfileBody":
    from reports.pages.profile import ProfileBody

    judged = [figure for figure in standing.figures if figure.limit == figure.limit]
    return ProfileBody(
        measured_m=standing.measured_m,
        modelled_m=standing.modelled_m,
        bones=standing.bones,
        factors=standing.factors,
        figures=[
            (figure.figure.replace("_", " "), figure.of, f"{figure.value:.3g} {figure.unit}", f"{figure.limit:g}")
            for figure in sorted(judged, key=_order)[:20]
        ],
    )


def _order(figure: "BodyFigure") -> tuple[bool, float]:
    """The pelvis first, which every angle of the hip hangs on; then what is nearest to its limit."""
    return figure.figure != "pelvis_less_spines", -abs(figure.value) / figure.limit
