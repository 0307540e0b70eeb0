"""`gait2hip profile`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors


def profile(
    recordings: Annotated[
        list[Path], typer.Argument(metavar="STATIC [WALK …]", help="A static trial, and walks that tell what moves.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="LAB.toml", help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Propose a laboratory's profile from its recordings: what each label means, and what remains unknown."""
    with plain_errors():
        from pipeline.c3d.read_c3d import read_c3d
        from pipeline.session.propose_profile import in_words, profile_text, propose_profile

        if output.exists() and not force:
            raise ValueError(f"{output} exists already and is not overwritten. Remove it, or pass --force.")
        proposed = propose_profile(output.stem, [read_c3d(path) for path in recordings])
        output.write_text(profile_text(proposed), "utf-8")
        typer.echo(in_words(proposed))
        typer.echo(f"wrote {output}")
