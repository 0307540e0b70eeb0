"""Functions of one variable with two derivatives, from their polynomial pieces."""

from pipeline.mechanics.arrays import Functions
from pipeline.mechanics.compiled import inner


@inner
def evaluate_at(functions: Functions, number: int, x: float) -> tuple[float, float, float]:
    """A function's value, slope and curvature at x; beyond its ends, those of the line that it ends on."""
    within = min(max(x, functions.low[number]), functions.high[number])
    before, after = functions.first[number], functions.first[number + 1]
    while after - before > 1:
        middle = (before + after) // 2
        if within >= functions.start[middle]:
            before = middle
        else:
            after = middle
    h, c = within - functions.start[before], functions.coefficients[before]
    value = c[0] + h * (c[1] + h * (c[2] + h * (c[3] + h * (c[4] + h * c[5]))))
    slope = c[1] + h * (2 * c[2] + h * (3 * c[3] + h * (4 * c[4] + h * 5 * c[5])))
    if within != x:
        return value + slope * (x - within), slope, 0.0
    return value, slope, 2 * c[2] + h * (6 * c[3] + h * (12 * c[4] + h * 20 * c[5]))
