"""The dataset card: what a person must know before training on a release or passing it on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from warehouse.channels import TURN_DEG
from warehouse.columns import Column
from warehouse.identity import VIRTUAL_PREFIX
from warehouse.provenance import canonical_json
from warehouse.release.columns import release_columns
from warehouse.release.selection import Sides, StoredTrial, subjects_left_out
from warehouse.release.split import ReleaseSplit
from warehouse.release.statistics import Statistic
from warehouse.schemas import schema_of

# Figures of the recording that say nothing about the quality of its targets.
_NO_QUALITY = ("point_rate_hz", "analog_rate_hz", "duration_s", "heading_change_deg")
_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """The content of the card that is not in the trials' rows."""

    name: str
    licence: str | None
    points: int
    sides: Sides
    n_complete: int
    targets: tuple[str, ...]
    origin: Mapping[str, object]
    split: ReleaseSplit
    statistics: Mapping[str, Statistic]
    audit: str


def quality_columns() -> tuple[Column, ...]:
    """The columns of the table trials that say how far a trial's targets can be trusted."""
    columns = schema_of("trials").columns
    return tuple(c for c in columns if pa.types.is_floating(c.type) and c.name not in _NO_QUALITY)


def render_card(facts: CardFacts, surveyed: Sequence[StoredTrial], released: Sequence[StoredTrial]) -> str:
    """The whole card, in Markdown. `surveyed` are all trials in the selection, including rejected ones."""
    return "\n".join(
        [
            *_head(facts, released),
            *_counts(facts, surveyed, released),
            *_rejections(surveyed),
            *_quality(released),
            *_audit(facts),
            *_origin(facts),
            *_split(facts.split),
            *_channels(facts.statistics),
            *_reading(facts),
        ]
    )


def _head(facts: CardFacts, released: Sequence[StoredTrial]) -> Iterator[str]:
    yield f"# {facts.name}"
    yield ""
    virtual = sorted({trial.key.cohort for trial in released if trial.key.cohort.startswith(VIRTUAL_PREFIX)})
    if virtual:
        yield f"**Of the cohorts {', '.join(virtual)}: virtual, not patients.**"
        yield ""
    side = "right legs' cycles" if facts.sides == "right" else "both legs' cycles, left ones read as right"
    yield (
        f"Gait cycles of {facts.points} samples, {side}: ten joint angles in degrees, and as targets "
        f"{_targets(facts)}. Forces and moments come from a musculoskeletal simulation: they are estimates, not "
        "measurements."
    )
    yield ""
    yield f"Licence: {facts.licence or 'not stated; ask whoever cut this release before handing it on'}."
    yield ""


def _targets(facts: CardFacts) -> str:
    told = {
        "forces": "14 muscle-group forces of the hip in N/kg",
        "moments": "3 moments of the hip in N·m/kg",
        "loads": "the contact force of the hip (3 components in the femur's axes, and its size) in N/kg",
    }
    return " and ".join(told[kind] for kind in facts.targets) or "none that is known"


def _counts(facts: CardFacts, surveyed: Sequence[StoredTrial], released: Sequence[StoredTrial]) -> Iterator[str]:
    yield from _title("What is in it")
    rows = [_count_row(cohort, condition, released) for cohort, condition in _groups(surveyed)]
    yield from _table(
        ("cohort", "condition", "subjects", "trials", "right cycles", "left cycles", "rejected trials"),
        [(*row, str(_rejected(surveyed, row[0], row[1]))) for row in rows],
    )
    yield f"{facts.n_complete} cycles have every target; the others hold NaN, which means not known."
    if nobody := subjects_left_out(surveyed, released):
        more = ", …" if len(nobody) > _SHOWN else ""
        yield f"Subjects without a cycle here: {len(nobody)} ({', '.join(nobody[:_SHOWN])}{more})."
    if facts.sides == "right":
        yield "Left cycles are counted here, but are not part of this release."
    yield from _turns(surveyed, released)
    of_angles = sum(not trial.accepted and not trial.rejected for trial in surveyed)
    if of_angles:
        yield f"Not part of this release: {_trials(of_angles)} of kinematics only, without targets."
    yield ""


def _turns(surveyed: Sequence[StoredTrial], released: Sequence[StoredTrial]) -> Iterator[str]:
    """How much is left out because it turns, or not left out although it does."""
    keys = {trial.key for trial in released}
    left_out = [trial for trial in surveyed if trial.accepted and trial.turns and trial.key not in keys]
    if left_out:
        right, left = (sum(_whole(trial.row[f"n_cycles_{side}"]) for trial in left_out) for side in ("right", "left"))
        yield (
            f"Left out: {_trials(len(left_out))} with a stride that turns by more than {TURN_DEG:g}°, "
            f"{right} right and {left} left cycles ({_by_group(left_out)})."
        )
    turning = [trial for trial in released if trial.turns]
    if turning:
        yield (
            f"Not left out: {_trials(len(turning))} with a stride that turns by more than {TURN_DEG:g}° "
            f"({_by_group(turning)})."
        )


def _by_group(trials: Sequence[StoredTrial]) -> str:
    counts = Counter((trial.key.cohort, trial.condition) for trial in trials)
    return "; ".join(f"{cohort}, {condition}: {count}" for (cohort, condition), count in sorted(counts.items()))


def _trials(count: int) -> str:
    return f"{count} trial{'' if count == 1 else 's'}"


def _groups(trials: Iterable[StoredTrial]) -> list[tuple[str, str]]:
    return sorted({(trial.key.cohort, trial.condition) for trial in trials})


def _count_row(cohort: str, condition: str, released: Sequence[StoredTrial]) -> tuple[str, ...]:
    members = [t for t in released if (t.key.cohort, t.condition) == (cohort, condition)]
    cycles = [sum(_whole(trial.row[f"n_cycles_{side}"]) for trial in members) for side in ("right", "left")]
    subjects = len({trial.subject_id for trial in members})
    return (cohort, condition, str(subjects), str(len(members)), *map(str, cycles))


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _rejected(surveyed: Sequence[StoredTrial], cohort: str, condition: str) -> int:
    return sum((t.key.cohort, t.condition) == (cohort, condition) and t.rejected for t in surveyed)


def _rejections(surveyed: Sequence[StoredTrial]) -> Iterator[str]:
    yield from _title("What was rejected, and why")
    reasons = Counter((str(t.row["stage"]), str(t.row["reason"])) for t in surveyed if t.rejected)
    if not reasons:
        yield "Nothing."
        yield ""
        return
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    yield from _table(
        ("trials", "stage", "reason"), [(str(n), stage, _cell(reason)) for (stage, reason), n in ordered[:_SHOWN]]
    )
    if len(ordered) > _SHOWN:
        yield f"… and {len(ordered) - _SHOWN} more reasons."
        yield ""


def _quality(released: Sequence[StoredTrial]) -> Iterator[str]:
    yield from _title("How far the targets can be trusted")
    rows = []
    for column in quality_columns():
        values = [t.row[column.name] for t in released if t.row.get(column.name) is not None]
        if values:
            figures = np.percentile(np.array(values, dtype=np.float64), [0, 50, 95, 100])
            rows.append((f"`{column.name}`", column.unit, *(f"{figure:.4g}" for figure in figures), column.meaning))
    if rows:
        yield from _table(("per trial", "unit", "least", "median", "95 %", "most", "meaning"), rows)
    else:
        yield "No quality figure is stored for these trials."
        yield ""


def _audit(facts: CardFacts) -> Iterator[str]:
    yield from _title("Audit")
    yield f"{facts.audit[0].upper()}{facts.audit[1:]}. Each verdict is in `audit.json`; `gait2hip audit` draws them."
    yield ""


def _origin(facts: CardFacts) -> Iterator[str]:
    yield from _title("What made it")
    rows = [
        (name, _cell(value if isinstance(value, str) else canonical_json(value)))
        for name, value in facts.origin.items()
        if name != "settings" and value
    ]
    yield from _table(("", ""), rows)
    if facts.origin["settings"]:
        yield "The recipe's settings are in `recipe.json`."
    else:
        yield "The recipe's settings were not stored with these cycles; only its name is known."
    yield ""


def _split(split: ReleaseSplit) -> Iterator[str]:
    yield from _title("Split")
    how = {
        "none": "No subject is held out.",
        "names": "Held out by name.",
        "seed": f"Held out by a draw of {split.fraction:g} of the subjects, seed {split.seed}."
        if split.fraction is not None
        else "",
    }
    yield f"{how[split.method]} {len(split.train)} subjects to train on, {len(split.test)} to test on."
    if split.test:
        yield ""
        yield f"Test: {', '.join(split.test)}."
    yield ""


def _channels(statistics: Mapping[str, Statistic]) -> Iterator[str]:
    yield from _title("Columns of `cycles.parquet`")
    rows = []
    for column in release_columns(tuple(statistics)):
        statistic = statistics.get(column.name)
        known = statistic is not None and statistic.mean is not None and statistic.sd is not None
        figures = (f"{statistic.mean:.4g}", f"{statistic.sd:.4g}") if statistic and known else ("", "")
        rows.append((f"`{column.name}`", str(column.type), column.unit, *figures, column.meaning))
    yield from _table(("column", "type", "unit", "mean", "SD", "meaning"), rows)
    yield "Mean and SD are those of `stats.json`: over the samples of training subjects only."
    yield ""


def _reading(facts: CardFacts) -> Iterator[str]:
    yield from _title("How to read it")
    yield f"One row per sample, {facts.points} rows a cycle; `phase` is 0 at the foot strike, 1 at the next."
    yield "`cycles.parquet` is plain Parquet (pandas, Polars, DuckDB, R, MATLAB). For training:"
    yield ""
    yield "```python"
    yield "from warehouse.release.arrays import load"
    yield ""
    yield 'arrays = load("releases/…")'
    yield "arrays.inputs_deg[arrays.train]  # (cycles, samples, 10)"
    yield "```"
    yield ""


def _title(text: str) -> tuple[str, str]:
    return f"## {text}", ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
