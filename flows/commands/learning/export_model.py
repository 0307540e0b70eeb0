"""`gait2hip export-model`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors


def export_model(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A model's folder.", show_default=False)],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="A new file.", show_default=False)],
    format_: Annotated[str, typer.Option("--format", metavar="onnx", help="Only onnx so far.")] = "onnx",
) -> None:
    """Write a trained network for other programs, and check there that it gives the same numbers."""
    with plain_errors():
        if format_ != "onnx":
            raise ValueError(f"--format {format_}: expected onnx.")
        from models.predicting.export_onnx import export_onnx
        from models.predicting.trained_run import read_run

        difference = export_onnx(read_run(run), out)
        typer.echo(f"written: {out}; onnxruntime gives the same numbers within {difference:.1g} N/kg or N·m/kg")
