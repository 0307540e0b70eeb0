"""How far results move from one warehouse to another: `python -m benchmarks.corrections BEFORE AFTER [--json FILE]`.

Both hold the same recordings, processed by two recipes or two versions. Every verdict that changed is listed; of walks
that both accepted, each channel's differences stand beside the channel's own size: joint angles, hip moments, muscle
forces and hip contact force over the gait cycle, and the legs' moments over the frames in which both know the ground
reaction.

`python -m benchmarks.corrections --sessions FILE...` processes these session files by both settings of the recipe's
`mechanics`, and compares "opensim" with "corrected".
"""

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.osim.log import quiet
from pipeline.session.recipe import PACKAGED_RECIPE
from pipeline.session.session import load_session
from pipeline.storing.ingest_trial import ingest_trial
from pipeline.storing.prepare_session import prepare_session
from pipeline.storing.request import SessionRequest
from warehouse.channels import FORCE_CHANNELS, INPUT_COORDINATES, LOAD_CHANNELS, MOMENT_CHANNELS, ipsilateral
from warehouse.errors import MissingFile
from warehouse.files import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

# Columns of `cycles`, by what they are and their unit.
CYCLE_CHANNELS: dict[tuple[str, str], tuple[str, ...]] = {
    ("angle over the cycle", "degree"): tuple(map(ipsilateral, INPUT_COORDINATES)),
    ("hip moment over the cycle", "N·m/kg"): MOMENT_CHANNELS,
    ("muscle force over the cycle", "N/kg"): FORCE_CHANNELS,
    ("hip contact force over the cycle", "N/kg"): LOAD_CHANNELS,
}
# Columns of `moments`, both legs together.
LEG_COORDINATES = (
    "hip_flexion",
    "hip_adduction",
    "hip_rotation",
    "knee_angle",
    "ankle_angle",
    "subtalar_angle",
    "mtp_angle",
)
SAME_CYCLE = ["side", "cycle", "sample"]


@dataclass(frozen=True)
class Samples:
    """One walk's samples of a channel, before and after, (N,) each."""

    kind: str
    unit: str
    channel: str
    walk: str
    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True)
class Movement:
    """How far a channel moved over all walks, beside its own root mean square before."""

    kind: str
    unit: str
    channel: str
    walks: int
    own_rms: float
    rms: float
    largest: float
    largest_in: str


@dataclass(frozen=True)
class ChangedVerdict:
    """A trial that was judged otherwise, or in one warehouse only."""

    walk: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """What two warehouses hold of the same recordings."""

    walks: int
    accepted_by_both: int
    verdicts: tuple[ChangedVerdict, ...]
    cycles_of_one_only: tuple[str, ...]
    movements: tuple[Movement, ...]


def main() -> None:
    arguments = _arguments()
    if arguments.sessions:
        with tempfile.TemporaryDirectory() as name:
            result = compare(*by_both_mechanics(arguments.sessions, Path(name)))
    else:
        result = compare(*map(Warehouse, arguments.warehouses))
    print(render(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(result), indent=2) + "\n")


def by_both_mechanics(sessions: Sequence[Path], directory: Path) -> tuple[Warehouse, Warehouse]:
    """Process the sessions by the packaged recipe, as OpenSim computes and by the laws."""
    recipe = files("pipeline").joinpath("recipes", f"{PACKAGED_RECIPE}.toml").read_text(encoding="utf-8")
    quiet()
    made = []
    for mechanics in ("opensim", "corrected"):
        changed = directory / f"{mechanics}.toml"
        changed.write_text(recipe.replace('mechanics = "corrected"', f'mechanics = "{mechanics}"'), encoding="utf-8")
        root = str(directory / mechanics)
        for file in sessions:
            _ingest(SessionRequest(session_file=str(file.resolve()), recipe=str(changed), model=None, warehouse=root))
        made.append(Warehouse(root))
    return made[0], made[1]


def _ingest(request: SessionRequest) -> None:
    prepare_session(request)
    for trial in load_session(Path(request.session_file)).trials:
        ingest_trial(request, trial.name)


def compare(before: Warehouse, after: Warehouse) -> Comparison:
    """Verdicts of all trials, and movements over the walks that both warehouses accepted."""
    verdicts = (_verdicts(before), _verdicts(after))
    keys = sorted(verdicts[0].keys() & verdicts[1].keys(), key=str)
    both = [key for key in keys if verdicts[0][key] == verdicts[1][key] == "accepted"]
    lone: list[str] = []
    samples = [found for key in both for found in _samples(before, after, key, lone)]
    return Comparison(
        walks=len(keys),
        accepted_by_both=len(both),
        verdicts=changed_verdicts(*verdicts),
        cycles_of_one_only=tuple(lone),
        movements=tuple(movements(samples)),
    )


def _verdicts(warehouse: Warehouse) -> dict[TrialKey, str]:
    return {
        read.trial_key(account): "accepted" if row["outcome"] == "accepted" else f"{row['stage']}: {row['reason']}"
        for account, row in read.rows(warehouse, "trials", ["outcome", "stage", "reason"])
    }


def changed_verdicts(before: dict[TrialKey, str], after: dict[TrialKey, str]) -> tuple[ChangedVerdict, ...]:
    """Trials whose verdict or reason differs; "absent" where a warehouse lacks one."""
    pairs = {key: (before.get(key, "absent"), after.get(key, "absent")) for key in before.keys() | after.keys()}
    return tuple(
        ChangedVerdict(walk=str(key), before=old, after=new)
        for key, (old, new) in sorted(pairs.items(), key=lambda pair: str(pair[0]))
        if old != new
    )


def _samples(before: Warehouse, after: Warehouse, key: TrialKey, lone: list[str]) -> Iterator[Samples]:
    old, new = (_cycles(warehouse, key) for warehouse in (before, after))
    if set(old.index) != set(new.index):
        lone.append(str(key))
    yield from cycle_samples(str(key), old, new)
    yield from leg_samples(str(key), *(_table(warehouse, "moments", key) for warehouse in (before, after)))


def _cycles(warehouse: Warehouse, key: TrialKey) -> pd.DataFrame:
    try:
        return _table(warehouse, "cycles", key).set_index(SAME_CYCLE)
    except MissingFile:
        return pd.DataFrame(columns=SAME_CYCLE).set_index(SAME_CYCLE)


def _table(warehouse: Warehouse, table: str, key: TrialKey) -> pd.DataFrame:
    return read.read_table(warehouse, table, key).to_pandas()


def cycle_samples(walk: str, before: pd.DataFrame, after: pd.DataFrame) -> Iterator[Samples]:
    """Channels over the gait cycles that both tables have; each is indexed by `SAME_CYCLE`."""
    shared = before.index.intersection(after.index)
    for (kind, unit), channels in CYCLE_CHANNELS.items():
        for channel in channels:
            if channel in before.columns and channel in after.columns:
                yield Samples(
                    kind=kind,
                    unit=unit,
                    channel=channel,
                    walk=walk,
                    before=before.loc[shared, channel].to_numpy(float),
                    after=after.loc[shared, channel].to_numpy(float),
                )


def leg_samples(walk: str, before: pd.DataFrame, after: pd.DataFrame) -> Iterator[Samples]:
    """The legs' moments in the frames whose ground reaction both tables know."""
    before, after = (table.set_index("time_s") for table in (before, after))
    for letter, side in (("r", "right"), ("l", "left")):
        known = [table.index[table[f"{side}_known"]] for table in (before, after)]
        frames = known[0].intersection(known[1])
        for coordinate in LEG_COORDINATES:
            column = f"{coordinate}_{letter}"
            if column in before.columns and column in after.columns:
                yield Samples(
                    kind="leg moment",
                    unit="N·m",
                    channel=coordinate,
                    walk=walk,
                    before=before.loc[frames, column].to_numpy(float),
                    after=after.loc[frames, column].to_numpy(float),
                )


def movements(samples: Iterable[Samples]) -> Iterator[Movement]:
    """One line a channel, in the order of the first walk. NaN, where either side lacks a sample, is left out."""
    channels: dict[tuple[str, str, str], list[Samples]] = {}
    for found in samples:
        if np.isfinite(found.before - found.after).any():
            channels.setdefault((found.kind, found.unit, found.channel), []).append(found)
    for (kind, unit, channel), walks in channels.items():
        moved = [np.abs(walk.after - walk.before) for walk in walks]
        largest = [float(np.nanmax(change)) for change in moved]
        worst = int(np.argmax(largest))
        yield Movement(
            kind=kind,
            unit=unit,
            channel=channel,
            walks=len({walk.walk for walk in walks}),
            own_rms=_rms(walk.before[np.isfinite(walk.after)] for walk in walks),
            rms=_rms(moved),
            largest=largest[worst],
            largest_in=walks[worst].walk,
        )


def _rms(parts: Iterable[np.ndarray]) -> float:
    return float(np.sqrt(np.nanmean(np.concatenate(list(parts)) ** 2)))


def render(result: Comparison) -> str:
    """The table for people."""
    lines = [f"{result.walks} walks in both, {result.accepted_by_both} accepted by both"]
    lines += [f"verdicts that changed: {len(result.verdicts)}"]
    lines += [f"  {verdict.walk}\n    {verdict.before}\n    {verdict.after}" for verdict in result.verdicts]
    lines += [f"{walk}: a gait cycle is in one warehouse only" for walk in result.cycles_of_one_only]
    kind = ""
    for moved in result.movements:
        if moved.kind != kind:
            kind = moved.kind
            lines += ["", f"{f'{kind}, {moved.unit}':42}{'own RMS':>10}{'moved RMS':>12}{'largest':>12}  in"]
        lines.append(
            f"{moved.channel:42}{moved.own_rms:10.3f}{moved.rms:12.3g}{moved.largest:12.3g}  {moved.largest_in}"
        )
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("warehouses", nargs="*", metavar="WAREHOUSE", help="before and after")
    parser.add_argument("--sessions", nargs="+", type=Path, metavar="FILE", help="process these instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    arguments = parser.parse_args()
    if len(arguments.warehouses) != (0 if arguments.sessions else 2):
        parser.error("give two warehouses, or --sessions.")
    return arguments


if __name__ == "__main__":
    main()
