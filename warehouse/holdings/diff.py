"""How much inputs and targets differ between two warehouses, over the gait cycles that both hold.

Two cycles are the same if they are of the same trial and leg and begin within half a frame (at 100 Hz) of each other.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from warehouse.channels import ALL_CHANNELS, INPUT_COORDINATES, LOAD_CHANNELS
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.layout import Warehouse
from warehouse.schemas import schema_of

_SAME_START_S = 0.005
_CHANNELS = (*ALL_CHANNELS, *LOAD_CHANNELS)
_KEY = ("cohort", "subject", "session", "trial", "side")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDifference:
    """One channel over the shared cycles; `worst` names the trial and leg where it differs most.

    NaN if no cycle is known in both.
    """

    channel: str
    unit: str
    rms: float
    largest: float
    worst: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseDiff:
    """How many cycles were compared, how many are in one warehouse only, and each channel's difference.

    The hip's contact force is compared if both warehouses hold it.
    """

    n_shared: int
    n_only_old: int
    n_only_new: int
    channels: tuple[ChannelDifference, ...]


_Cycle = tuple[tuple[str, ...], float, np.ndarray]


def diff_warehouses(old: Warehouse, new: Warehouse) -> WarehouseDiff:
    """Match the cycles of two warehouses and compare them channel by channel.

    WarehouseError if they share no cycle, or matched cycles differ in their number of samples.
    """
    before, after = _cycles(old), _cycles(new)
    pairs = list(_pairs(before, after))
    if not pairs:
        raise WarehouseError(
            f"{old.root} ({len(before)} cycles) and {new.root} ({len(after)}) share no gait cycle: their subjects, "
            "sessions or trials have other names, or one of them is empty."
        )
    names = ["/".join(before[i][0]) for i, _ in pairs]
    differences = np.array([_difference(before[i], after[j]) for i, j in pairs])
    channels = [_channel(channel, differences[:, :, column], names) for column, channel in enumerate(_CHANNELS)]
    return WarehouseDiff(
        n_shared=len(pairs),
        n_only_old=len(before) - len(pairs),
        n_only_new=len(after) - len({j for _, j in pairs}),
        channels=tuple(one for one in channels if one.channel in ALL_CHANNELS or np.isfinite(one.rms)),
    )


def diff_text(diff: WarehouseDiff) -> str:
    """The comparison as a plain table."""
    rows = [("channel", "unit", "RMS", "largest", "where")]
    rows += [(c.channel, c.unit, f"{c.rms:.3g}", f"{c.largest:.3g}", c.worst) for c in diff.channels]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    counts = f"{diff.n_shared} cycles in both, {diff.n_only_old} only in the old, {diff.n_only_new} only in the new"
    return "\n".join([counts, *(line.rstrip() for line in lines)])


def _cycles(warehouse: Warehouse) -> list[_Cycle]:
    """Every cycle as its key, its start in seconds, and its channels (P, C)."""
    table = read.cycles_as_right(warehouse, columns=[*_KEY, "start_s", "sample", *_CHANNELS])
    starts = [*np.flatnonzero(table["sample"].to_numpy() == 0), table.num_rows]
    values = np.stack([table[name].to_numpy() for name in _CHANNELS], axis=1) if table.num_rows else np.empty((0, 0))
    keys = [tuple(row.values()) for row in _first_rows(table, starts[:-1])]
    begins = table["start_s"].to_numpy()
    return [
        (key, float(begins[start]), values[start:stop])
        for key, start, stop in zip(keys, starts[:-1], starts[1:], strict=True)
    ]


def _first_rows(table: pa.Table, starts: list[int]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = table.select(list(_KEY)).take(pa.array(starts, pa.int64())).to_pylist()
    return rows


def _pairs(before: list[_Cycle], after: list[_Cycle]) -> Iterator[tuple[int, int]]:
    """The indices of the cycles that both hold."""
    by_key: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, (key, _, _) in enumerate(after):
        by_key[key].append(index)
    for index, (key, start_s, _) in enumerate(before):
        same = [other for other in by_key[key] if abs(after[other][1] - start_s) < _SAME_START_S]
        if same:
            yield index, same[0]


def _difference(old: _Cycle, new: _Cycle) -> np.ndarray:
    if len(old[2]) != len(new[2]):
        raise WarehouseError(
            f"{'/'.join(old[0])}: a cycle has {len(old[2])} samples in one warehouse and {len(new[2])} in the other. "
            "Compare warehouses whose recipes have the same cycle_points."
        )
    return new[2] - old[2]


def _channel(channel: str, differences: np.ndarray, names: list[str]) -> ChannelDifference:
    # Imported cycles may lack a kind of target.
    known = np.isfinite(differences).all(axis=1)
    sizes = np.where(known, np.abs(differences).max(axis=1), -1.0)
    worst = int(np.argmax(sizes))
    return ChannelDifference(
        channel=channel,
        unit="degree" if channel in INPUT_COORDINATES else _unit(channel),
        rms=float(np.sqrt(np.mean(differences[known] ** 2))) if known.any() else float("nan"),
        largest=float(sizes[worst]) if known.any() else float("nan"),
        worst=names[worst] if known.any() else "",
    )


def _unit(channel: str) -> str:
    return next(column.unit for column in schema_of("cycles").columns if column.name == channel)
