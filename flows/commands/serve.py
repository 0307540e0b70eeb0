"""`gait2hip serve`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors


def serve(
    config: Annotated[Path, typer.Option(metavar="FILE", help="What runs when: a deploy.toml.", show_default=False)],
    once: Annotated[bool, typer.Option("--once", help="Run everything configured now, once, and end.")] = False,
) -> None:
    """Ingest what arrives, regenerate what is stale and retrain by schedule, until ended."""
    with plain_errors():
        from flows.serving.deploy_config import load_deploy
        from flows.serving.serve import run_once
        from flows.serving.serve import serve as run

        found = load_deploy(config)
        if once:
            run_once(found)
        else:
            run(found, tell=typer.echo)
