"""Ground reactions that no walk has: only the warehouse holds them. F frames of one foot's stance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reports.audit.verdict import AuditVerdict
from warehouse.files import read
from warehouse.holdings.contents import is_imported
from warehouse.layout import Warehouse
from warehouse.release.selection import StoredTrial

_GRAVITY = 9.81
_SIDES = {"right": "r", "left": "l"}
# A foot that carries less is landing, leaving, or not there.
_LOADED_N = 50.0
# Shorter ones are cut by the record's end, or only a part of a stance.
_LEAST_STANCE_S = 0.4
# Walking at 1-3 m/s has vertical peaks of 1.0-1.5 times the body weight, running begins at 2 (Nilsson & Thorstensson
# 1989, Acta Physiol Scand 136:217).
LEAST_PEAK, MOST_PEAK = 0.8, 1.8
# A foot brakes, then pushes: over the stance the force along the walk goes as -cos does from 0 to π. It correlates with
# that by 0.83 or more in all the walks that this was tried on.
LEAST_BRAKING = -0.5
# The floor pushes a foot towards the other: the mean over a stance, as a share of its peak, is 0.17 or more; a single
# foot may cross over, so both must be wrong.
LEAST_INWARD = -0.1
# From heel to toe the centre of pressure rolls 129 mm or more, 65 where a part of the stance is known.
LEAST_ROLL_M = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stance:
    """One foot's stance: peak over body weight, braking and inward shares, and how far its pressure rolls (m)."""

    peak: float
    braking: float
    inward: float
    roll_m: float


def impossible_ground_reactions(
    warehouse: Warehouse, trials: Sequence[StoredTrial]
) -> tuple[list[AuditVerdict], list[str]]:
    """Verdicts on the ground reactions of released trials, and a message about trials that have none stored.

    WarehouseError if a table that a trial's row vouches for can't be read.
    """
    verdicts: list[AuditVerdict] = []
    n_unknown = 0
    for trial in trials:
        stances = _stances(warehouse, trial)
        n_unknown += not any(stances.values())
        verdicts += _verdicts(trial, stances)
    where = f"ground reactions: no whole stance is stored of {n_unknown} trials"
    return verdicts, [where] if n_unknown else []


def _stances(warehouse: Warehouse, trial: StoredTrial) -> dict[str, list[_Stance]]:
    if is_imported(trial.account):
        return {}
    table = read.read_table(warehouse, "grf", trial.key)
    mass_kg = trial.session["mass_kg"]
    assert isinstance(mass_kg, float)
    columns = {name: table[name].to_numpy() for name in table.column_names if name[-2:] in ("_r", "_l", "_s")}
    return {side: list(_of_foot(columns, letter, mass_kg)) for side, letter in _SIDES.items()}


def _of_foot(columns: dict[str, np.ndarray], letter: str, mass_kg: float) -> Iterator[_Stance]:
    time_s, up = columns["time_s"], columns[f"force_y_{letter}"]
    edges = np.flatnonzero(np.diff(np.r_[False, up > _LOADED_N, False]))
    inward = 1.0 if letter == "l" else -1.0
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if time_s[stop - 1] - time_s[start] < _LEAST_STANCE_S or not columns[f"known_{letter}"][start:stop].all():
            continue
        along, across, roll = (columns[f"{name}_{letter}"][start:stop] for name in ("force_x", "force_z", "cop_x"))
        known = roll[np.isfinite(roll)]
        yield _Stance(
            peak=float(up[start:stop].max() / (mass_kg * _GRAVITY)),
            braking=_correlation(along, -np.cos(np.linspace(0, np.pi, stop - start))),
            inward=float(inward * across.mean() / max(np.abs(across).max(), 1e-9)),
            roll_m=float(np.subtract(*np.percentile(known, [95, 5]))) if len(known) else float("nan"),
        )


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """0 where a curve is constant."""
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-9))


def _verdicts(trial: StoredTrial, stances: dict[str, list[_Stance]]) -> Iterator[AuditVerdict]:
    for side, of_foot in stances.items():
        if not of_foot:
            continue
        peak, braking = (float(np.median([getattr(each, name) for each in of_foot])) for name in ("peak", "braking"))
        rolls_m = [stance.roll_m for stance in of_foot if np.isfinite(stance.roll_m)]
        roll_m = float(np.median(rolls_m)) if rolls_m else float("inf")
        if not LEAST_PEAK <= peak <= MOST_PEAK:
            limit = LEAST_PEAK if peak < LEAST_PEAK else MOST_PEAK
            yield _verdict(trial, side, peak, limit, f"the vertical force peaks at {peak:.2f} times the body weight")
        if braking < LEAST_BRAKING:
            yield _verdict(
                trial,
                side,
                braking,
                LEAST_BRAKING,
                "the foot pushes, then brakes: the fore-aft force is negated",
            )
        if roll_m < LEAST_ROLL_M:
            yield _verdict(
                trial,
                side,
                roll_m,
                LEAST_ROLL_M,
                f"the centre of pressure moves {1000 * roll_m:.1f} mm under a rolling foot: moments in another unit?",
            )
    feet = [float(np.median([stance.inward for stance in of_foot])) for of_foot in stances.values() if of_foot]
    if len(feet) == len(_SIDES) and max(feet) < LEAST_INWARD:
        yield _verdict(
            trial, None, max(feet), LEAST_INWARD, "the floor pushes both feet outward: the sideways force is negated"
        )


def _verdict(trial: StoredTrial, side: str | None, score: float, limit: float, found: str) -> AuditVerdict:
    return AuditVerdict(
        kind="ground",
        subject=trial.subject_id,
        condition=trial.condition,
        session=trial.key.session,
        trial=trial.key.trial,
        side=side,
        channel="targets",
        score=score,
        limit=limit,
        found=found,
    )
