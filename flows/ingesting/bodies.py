"""What is said of sized bodies: figures that judge them, how sure they are, and which walks told nothing of them."""

from collections.abc import Iterable, Sequence

from pipeline.storing.stages import stale_with
from warehouse.errors import WarehouseError
from warehouse.files.parallel import map_in_order
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
    """A line for each session with an accepted trial: each figure's worst, with its limit; and the hip's zero.

    Below it one for each walk that was left out of the body's sizing.
    """
    sessions = sorted({outcome.key.session_key for outcome in outcomes if outcome.accepted and not outcome.fresh})
    if len(sessions) > MOST_TOLD:
        left_out = sum(len(_left_out(warehouse, key)) for key in sessions)
        without = f"; {left_out} walks were left out of their sizing: table `sizing` says why" if left_out else ""
        return [
            f"{len(sessions)} bodies sized: table `body_figures` has their figures, limits and uncertainties{without}"
        ]
    return [line for key in sessions for line in (_line(warehouse, key), *_left_out(warehouse, key)) if line]


def sizing_lines(warehouse: Warehouse, sessions: Sequence[SessionKey]) -> list[str]:
    """Walks that were left out of the sizing of these bodies, and what another walk there would make stale."""
    left_out = [line for lines in map_in_order(lambda key: _left_out(warehouse, key), sessions) for line in lines]
    always = stale_with("sizing")
    alone = [stage for stage in stale_with("sizing", "static") if stage not in always]
    return [
        "a body changes only with its static trial and the walks that `sizing` lists in session.toml; another walk "
        f"there makes stale [{', '.join(always)}] of all its session's trials, and without a static trial "
        f"[{', '.join(alone)}] too",
        *left_out[:MOST_TOLD],
        *([f"  ... and {len(left_out) - MOST_TOLD} more: table `sizing`"] if len(left_out) > MOST_TOLD else []),
    ]


def _left_out(warehouse: Warehouse, key: SessionKey) -> list[str]:
    """The session's walks that told nothing of its body, with the reason; none if it isn't stored."""
    try:
        rows = read_table(warehouse, "sizing", key).to_pylist()
    except WarehouseError:
        return []
    return [
        f"  {key.cohort}/{key.subject}/{key.session}: {row['file']} was left out of its sizing: {row['reason']}"
        for row in rows
        if not row["used"]
    ]


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
