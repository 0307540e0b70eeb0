"""Markdown tables of figures: persons' rows, then their mean, standard deviation and largest."""

from collections.abc import Iterable, Sequence

import numpy as np

Cell = str | float


def markdown(head: Sequence[str], rows: Iterable[Sequence[Cell]], digits: Sequence[int]) -> str:
    """A table whose numbers have so many digits, by column; NaN shows as a dash."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [
            cell if isinstance(cell, str) else number(cell, places) for cell, places in zip(row, digits, strict=True)
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def number(value: float, places: int) -> str:
    """Rounded; a dash for NaN."""
    # Adding zero takes the sign off a negative zero.
    return "–" if np.isnan(value) else f"{round(value, places) + 0.0:.{places}f}"


def summary_rows(name: str, rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    """Mean, standard deviation, and the value of largest size, of each column of numbers; NaN is left out."""
    columns = list(zip(*rows, strict=True))
    numeric = [column for column in columns if not any(isinstance(cell, str) for cell in column)]
    if not numeric:
        return []
    texts: list[Cell] = [""] * (len(columns) - len(numeric) - 1)
    values = np.array(numeric, dtype=float)
    seen = [column[np.isfinite(column)] for column in values]

    def of(measure: object) -> list[Cell]:
        return [float(measure(column)) if len(column) else float("nan") for column in seen]  # type: ignore[operator]

    return [
        [f"{name}: mean", *texts, *of(np.mean)],
        [f"{name}: SD", *texts, *of(np.std)],
        [f"{name}: largest", *texts, *of(lambda column: column[np.abs(column).argmax()])],
    ]
