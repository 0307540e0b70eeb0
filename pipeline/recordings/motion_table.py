"""Joint coordinates that somebody else's inverse kinematics found: OpenSim's .mot and .sto tables."""

from pathlib import Path

import numpy as np

from pipeline.recordings.ground_forces import is_ground_forces, read_opensim_table
from pipeline.recordings.text_file import even_rate_hz, unreadable
from pipeline.records import Coordinates
from warehouse.interchange.opensim_table import without_model_path


def read_motion_table(path: Path, in_degrees: frozenset[str] | None = None) -> tuple[Coordinates, tuple[str, ...]]:
    """A table of coordinates, in radians and metres, and warnings.

    `in_degrees`: what the model's files hold in degrees, by name; None takes all for angles but those whose names end
    with _tx, _ty, _tz. Raises TrialRejected for a table that isn't whole, has NaN, uneven times or no inDegrees, or
    holds something else.
    """
    table, warnings = read_opensim_table(path)
    if is_ground_forces(table.columns):
        raise unreadable(path.name, "holds ground reactions, expected joint coordinates. Name it as `forces`.")
    if any(name.endswith(("_moment", "_force", "_activation")) for name in table.columns):
        raise unreadable(path.name, "holds moments, forces or activations, expected joint coordinates.")
    # A states file also has each coordinate's speed, and what muscles do.
    kept = [name for name in table.columns if "/" not in name or name.endswith("/value")]
    left_out = len(table.columns) - len(kept)
    if not kept:
        raise unreadable(path.name, "holds no joint coordinate.")
    if table.in_degrees is None:
        raise unreadable(path.name, "has no inDegrees in its header, expected inDegrees=yes or inDegrees=no. Write it.")
    names = tuple(without_model_path(name) for name in kept)
    if len(set(names)) < len(names):
        raise unreadable(path.name, "has coordinates of one name. Which is meant, nothing tells.")
    values = table.numbers(kept)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise unreadable(
            path.name, f"{names[column]} is not a number at {table.time_s[row]:g} s, expected one in every row."
        )
    angles = np.array(
        [name in in_degrees if in_degrees is not None else not name.endswith(("_tx", "_ty", "_tz")) for name in names]
    )
    if table.in_degrees:
        values[:, angles] = np.radians(values[:, angles])
    even_rate_hz(path.name, table.time_s)
    if left_out:
        warnings.append(f"{path.name}: {left_out} columns are no coordinate's value, and not used.")
    return Coordinates(time_s=table.time_s, names=names, rotational=angles, values=values), tuple(warnings)
