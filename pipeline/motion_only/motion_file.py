"""Joint angles over time from other people's files: OpenSim's motions, and CSV tables that say their units."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.errors import TrialRejected
from pipeline.ground.progression import with_turns
from pipeline.motion_only.kinematic_events import events_of_angles
from pipeline.motion_only.walk_angles import WalkAngles, complete_strides
from pipeline.recordings.motion_table import read_motion_table
from pipeline.session.recipe import Recipe
from warehouse.channels import INPUT_COORDINATES
from warehouse.interchange.given_file import csv_table
from warehouse.interchange.reach import impossible

# A CSV's columns say the unit that its numbers can't: hip_flexion_r_deg or hip_flexion_r_rad.
_TO_DEGREES = {"deg": 1.0, "rad": 180.0 / np.pi}
# Where the pelvis faces, in OpenSim's models: to the left about the vertical axis. No prediction needs it, turns do.
HEADING = "pelvis_rotation"


def read_mot(path: Path, recipe: Recipe) -> WalkAngles:
    """A motion with OpenSim's coordinates, in degrees or radians as its header says.

    ValueError if it lacks one of the ten angles; TrialRejected if it is no motion, or holds no complete cycle.
    """
    motion, warnings = read_motion_table(path)
    _require(path, [name for name in INPUT_COORDINATES if name not in motion.names], motion.names)
    angles_deg = np.degrees(np.stack([motion.column(name) for name in INPUT_COORDINATES], axis=1))
    heading_deg = np.degrees(motion.column(HEADING)) if HEADING in motion.names else None
    return _walk(path, motion.time_s, angles_deg, heading_deg, recipe, warnings)


def read_csv_motion(path: Path, recipe: Recipe) -> WalkAngles:
    """A table with `time_s` and the ten angles, each named with its unit: `hip_flexion_r_deg` or `hip_flexion_r_rad`.

    `pelvis_rotation_deg` tells turns, where the table has it. Empty cells are not known. ValueError if a column is
    missing or is no number; TrialRejected if the table holds no complete cycle.
    """
    table = csv_table(path)
    names = {name: _with_unit(path, name, table.column_names) for name in INPUT_COORDINATES}
    _require(
        path, [f"{name}_deg" for name in INPUT_COORDINATES if not names[name]] or _lacks_time(table), table.column_names
    )
    time_s = numbers(path, table, "time_s")
    if not np.isfinite(time_s).all() or len(time_s) < 2 or (np.diff(time_s) <= 0).any():
        raise ValueError(f"{path}: time_s must be known and increase from row to row, over two rows or more.")
    angles_deg = np.stack([_degrees(path, table, column) for column in names.values()], axis=1)
    heading = _with_unit(path, HEADING, table.column_names)
    return _walk(path, time_s, angles_deg, _degrees(path, table, heading) if heading else None, recipe)


def numbers(path: Path, table: pa.Table, name: str) -> np.ndarray:
    """A column in double precision, NaN where a cell is empty. ValueError if it holds anything else."""
    column = table.column(name)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
        raise ValueError(f"{path}: column {name} holds {column.type}, expected numbers.")
    values: np.ndarray = column.cast(pa.float64()).to_numpy()
    return values


def _degrees(path: Path, table: pa.Table, column: str) -> np.ndarray:
    return numbers(path, table, column) * _TO_DEGREES[column.rpartition("_")[2]]


def _with_unit(path: Path, name: str, columns: Sequence[str]) -> str:
    """The angle's column, "" if there is none. ValueError for one without a unit, or for two."""
    matching = [column for column in (f"{name}_{unit}" for unit in _TO_DEGREES) if column in columns]
    if len(matching) > 1 or (not matching and name in columns):
        raise ValueError(
            f"{path}: {', '.join(matching or [name])} doesn't say one unit: name the column {name}_deg or {name}_rad."
        )
    return matching[0] if matching else ""


def _lacks_time(table: pa.Table) -> list[str]:
    return [] if "time_s" in table.column_names else ["time_s"]


def _require(path: Path, lacking: Sequence[str], present: Sequence[str]) -> None:
    if lacking:
        raise ValueError(
            f"{path} lacks {', '.join(lacking)}; it has {', '.join(present)}. A prediction needs all ten joint angles "
            "of both legs."
        )


def _walk(
    path: Path,
    time_s: np.ndarray,
    angles_deg: np.ndarray,
    heading_deg: np.ndarray | None,
    recipe: Recipe,
    warnings: tuple[str, ...] = (),
) -> WalkAngles:
    """The walk's strides, with how far each turns by the heading (T,); None where the file doesn't tell it."""
    if fault := impossible(angles_deg):
        raise ValueError(f"{path}: {fault}.")
    events = events_of_angles(path.name, time_s, angles_deg, recipe.ground_reactions)
    strides, refused = complete_strides(path.name, time_s, angles_deg, events, recipe.cycles)
    if not strides:
        why = "; ".join(refused) or f"{len(events.events)} events in {time_s[-1] - time_s[0]:.2f} s, no two strikes"
        raise TrialRejected(
            "cycles",
            f"{path.name}: no complete gait cycle, expected at least one of either leg: {why}. A cycle is found "
            "between two foot strikes, told by how far the heel is in front of the hip: give a longer walk.",
        )
    if heading_deg is not None:
        strides = with_turns(strides, time_s, _unwrapped(heading_deg))
    return WalkAngles(
        source=path.name, time_s=time_s, angles_deg=angles_deg, strides=strides, refused=refused, warnings=warnings
    )


def _unwrapped(heading_deg: np.ndarray) -> np.ndarray:
    seen = np.isfinite(heading_deg)
    unwrapped = heading_deg.copy()
    unwrapped[seen] = np.unwrap(heading_deg[seen], period=360)
    return unwrapped
