"""`gait2hip predict` from file to file: the pipeline gives angles, a trained run curves, the warehouse tables."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from flows.learning.prediction_input import InputRequest, NamedWalk, Walks, read_input, refusals
from pipeline.ground.progression import turning, turns_in_words
from pipeline.motion_only.walk_angles import over_time
from pipeline.records import SIDES
from warehouse.channels import mirrored
from warehouse.interchange.input_cycles import InputCycles
from warehouse.interchange.predictions import (
    ENDINGS,
    Curves,
    Predicted,
    cycle_rows,
    cycles_file,
    encoded,
    join,
    sto,
    table,
    target_columns,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictRequest:
    """What to predict, by which run, into which file."""

    source: InputRequest
    run: Path
    out: Path
    device: str


def predict_file(request: PredictRequest) -> list[str]:
    """Predict and write; what there is to say about it, line by line.

    Before any work, ValueError if a file exists that would be written, or its ending is unknown. ValueError,
    TrialRejected or WarehouseError if the input or the run can't be used.
    """
    from models.networks.device import device_named
    from models.predicting.new_files import write_new_file
    from models.predicting.predict import predict_unmeasured
    from models.predicting.trained_run import read_run

    check_out(request.out)
    run, device = read_run(request.run), device_named(request.device)
    given = read_input(request.source)
    cycles = given if isinstance(given, InputCycles) else walk_cycles(given, run.config.points)
    predicted = predict_unmeasured(run, cycles, device)
    if isinstance(given, InputCycles):
        contents = _of_sequences(request.out, given, predicted)
        told = [f"{len(given)} gait cycles"]
    else:
        predicted = _named_by_leg(given, predicted)
        contents = _of_walks(request.out, given, predicted)
        told = [*refusals(given), *_counted(given), *_turns(given)]
    for file, content in contents.items():
        write_new_file(file, content)
    return [*told, *tell(predicted, cycles.mass_kg), *(f"written: {file}" for file in contents)]


def check_out(out: Path) -> None:
    """ValueError if the file, or the one of cycles beside it, exists, or if its ending is unknown."""
    from models.predicting.new_files import refuse_existing

    if out.suffix not in ENDINGS:
        raise ValueError(f"{out} has an unknown ending: expected {', '.join(ENDINGS)}.")
    refuse_existing(out)
    if out.suffix != ".sto":
        refuse_existing(cycles_file(out))


def walk_cycles(walks: Walks, points: int) -> InputCycles:
    """Every walk's cycles, one walk after the other."""
    strides = [stride for named in walks.walks for stride in named.walk.strides]
    conditions = [named.condition for named in walks.walks for _ in named.walk.strides]
    return InputCycles(
        source=walks.subject,
        inputs_deg=np.concatenate([named.walk.cycles_deg(points) for named in walks.walks]),
        subject=np.full(len(strides), walks.subject),
        condition=np.array(conditions, dtype=str),
        mass_kg=np.full(len(strides), walks.mass_kg),
        height_m=np.full(len(strides), walks.height_m),
        duration_s=np.array([stride.duration_s for stride in strides]),
    )


def tell(predicted: Predicted, mass_kg: np.ndarray) -> Iterator[str]:
    """What a reader of the numbers has to know, a line each; masses (N,) are NaN where not known."""
    if predicted.level is None:
        yield "no intervals: the run has none (it was imported, or too few subjects were held out of its folds)"
    else:
        yield f"{predicted.level:.0%} intervals, told by {predicted.n_calibrating} subjects held out of its folds"
    if np.isnan(mass_kg).all():
        yield "per body mass only (N/kg, N·m/kg), since no mass is known: give --mass-kg for N and N·m too"
    yield _novelty_line(predicted)


def _novelty_line(predicted: Predicted) -> str:
    if predicted.novelty is None:
        return "like the training subjects' motion? The run can't tell: it doesn't know theirs"
    outside, count = int((predicted.novelty > 1).sum()), len(predicted.novelty)
    if not outside:
        return f"inside what the run has seen: all {count} cycles"
    angles = Counter(name for names in predicted.angles_outside for name in names)
    which = ", ".join(f"{name} ({times})" for name, times in angles.most_common()) or "no angle by itself"
    return (
        f"OUTSIDE what the run has seen: {outside} of {count} cycles, up to {predicted.novelty.max():.1f} times the "
        f"limit; {which}. Neither values nor intervals can be relied on there."
    )


def _of_sequences(out: Path, cycles: InputCycles, predicted: Predicted) -> dict[Path, bytes]:
    """A row for each sequence and sample of the file, in its order."""
    if out.suffix == ".sto":
        raise ValueError(f"{out}: OpenSim's tables need time, which cycles don't have. Name a .parquet or .csv file.")
    rows = cycle_rows({"sequence": np.arange(len(cycles))}, predicted, cycles.mass_kg)
    return {out: encoded(out.suffix, rows)}


def _of_walks(out: Path, walks: Walks, predicted: Predicted) -> dict[Path, bytes]:
    """Over time in `out`, by cycle beside it. ValueError for several walks in an OpenSim table, which holds one."""
    parts = list(_by_walk(walks, predicted))
    if out.suffix == ".sto":
        if len(parts) > 1:
            raise ValueError(f"{out} can hold one walk, and there are {len(parts)}. Name a .parquet or .csv file.")
        named, of_walk = parts[0]
        legs = dict(_over_time(named, of_walk))
        return {out: sto(named.trial, named.walk.time_s, legs, predicted.targets, walks.mass_kg)}
    by_cycle = [cycle_rows(_cycle_keys(named), of_walk, _masses(walks, named)) for named, of_walk in parts]
    by_frame = [
        table(
            {
                "trial": np.full(count, named.trial),
                "side": np.full(count, side),
                "time_s": named.walk.time_s,
                "turns": _during_turns(named, side),
            },
            target_columns(predicted.targets, curves, np.full(count, walks.mass_kg)),
        )
        for named, of_walk in parts
        for count in [len(named.walk.time_s)]
        for side, curves in _over_time(named, of_walk)
    ]
    # The cycles first: where the other file is, this one is too.
    return {
        cycles_file(out): encoded(out.suffix, join(by_cycle)),
        out: encoded(out.suffix, join(by_frame)),
    }


def _by_walk(walks: Walks, predicted: Predicted) -> Iterator[tuple[NamedWalk, Predicted]]:
    start = 0
    for named in walks.walks:
        stop = start + len(named.walk.strides)
        yield named, predicted.take(np.arange(start, stop))
        start = stop


def _over_time(named: NamedWalk, predicted: Predicted) -> Iterator[tuple[str, Curves]]:
    """Each leg's curves over the walk's frames; a leg without a cycle is left out."""
    walk = named.walk
    for side in SIDES:
        rows = np.array([row for row, stride in enumerate(walk.strides) if stride.side == side], dtype=int)
        if len(rows):
            strides = [walk.strides[row] for row in rows]
            yield side, predicted.take(rows).curves.each(partial(over_time, walk.time_s, strides))


def _cycle_keys(named: NamedWalk) -> dict[str, np.ndarray]:
    strides = named.walk.strides
    sides = [stride.side for stride in strides]
    return {
        "trial": np.full(len(strides), named.trial),
        "side": np.array(sides),
        # Counted from 0 for each leg, as in the warehouse.
        "cycle": np.array([sides[:row].count(side) for row, side in enumerate(sides)]),
        "start_s": np.array([stride.start_s for stride in strides]),
        "stop_s": np.array([stride.stop_s for stride in strides]),
        "heading_change_deg": np.array([stride.heading_change_deg for stride in strides]),
    }


def _during_turns(named: NamedWalk, side: str) -> np.ndarray:
    """Which of the walk's frames (T,) belong to a stride of this leg that turns."""
    during = np.zeros(len(named.walk.time_s), dtype=bool)
    for stride in turning(named.walk.strides):
        if stride.side == side:
            during |= stride.frames(named.walk.time_s)
    return during


def _masses(walks: Walks, named: NamedWalk) -> np.ndarray:
    return np.full(len(named.walk.strides), walks.mass_kg)


def _named_by_leg(walks: Walks, predicted: Predicted) -> Predicted:
    """A run reads every cycle as a right leg's: angles of a left leg's cycle get their own names back."""
    sides = [stride.side for named in walks.walks for stride in named.walk.strides]
    names = tuple(
        outside if side == "right" else tuple(mirrored(name) for name in outside)
        for side, outside in zip(sides, predicted.angles_outside, strict=False)
    )
    return replace(predicted, angles_outside=names)


def _counted(walks: Walks) -> Iterator[str]:
    for named in walks.walks:
        sides = [stride.side for stride in named.walk.strides]
        yield f"{named.trial}: {sides.count('right')} right and {sides.count('left')} left gait cycles"


def _turns(walks: Walks) -> Iterator[str]:
    """Which strides turn; of which walks that can't be told."""
    so = "runs learn from straight walking, unless their release was told otherwise"
    for named in walks.walks:
        yield from (f"{named.trial}: {told}" for told in turns_in_words(named.walk.strides, so))
        if any(np.isnan(stride.heading_change_deg) for stride in named.walk.strides):
            yield f"{named.trial}: whether strides turn isn't known: nothing tells where the pelvis faces"
    strides = [stride for named in walks.walks for stride in named.walk.strides]
    if turns := turning(strides):
        yield f"{len(turns)} of {len(strides)} cycles turn: leave them out of means (columns turns, heading_change_deg)"
