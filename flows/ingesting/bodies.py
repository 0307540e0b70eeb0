"""What is said of sized bodies when their trials are reported: the figures that judge them, and how sure they are."""

from collections.abc import Iterable

from warehouse.errors import WarehouseError
from warehouse.files.read import read_table
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome

# More sessions than this are not told one by one: table `body_figures` has them all.
MOST_TOLD = 12
_TOLD = {
    "pelvis_less_spines": "pelvis from the line of spines",
    "hip_centre_from_regression": "hip centre from its regression",
    "lumbar_extension": "lumbar extension",
    "proportion_from_prior": "proportions from their prior",
    "marker_error_rms": "marker error",
}


def body_lines(warehouse: Warehouse, outcomes: Iterable[Outcome]) -> list[str]:
    """A line for each session with an accepted trial: each figure's worst, with its limit; and the hip's zero."""
    sessions = sorted({outcome.key.session_key for outcome in outcomes if outcome.accepted and not outcome.fresh})
    if not sessions:
        return []
    if len(sessions) > MOST_TOLD:
        return [f"{len(sessions)} bodies sized: table `body_figures` has their figures, limits and uncertainties"]
    return [line for key in sessions if (line := _line(warehouse, key))]


def _line(warehouse: Warehouse, key: SessionKey) -> str:
    """The session's line; "" if it has no figures, as a body sized by marker pairs."""
    try:
        rows = read_table(warehouse, "body_figures", key).to_pylist()
    except WarehouseError:
        return ""
    told = []
    for figure, words in _TOLD.items():
        limited = [row for row in rows if row["figure"] == figure and row["limit"] == row["limit"]]
        if limited:
            worst = max(limited, key=lambda row: abs(row["value"]) / row["limit"])
            told.append(f"{words} {worst['value']:.2g} of {worst['limit']:g} {worst['unit']} ({worst['of']})")
    zeros = [row["sd"] for row in rows if row["figure"] == "zero" and row["of"].startswith("hip_flexion")]
    if zeros:
        told.append(f"hip flexion's zero ± {max(zeros):.1f}°")
    return f"{key.cohort}/{key.subject}/{key.session}: {', '.join(told)}" if told else ""
