"""Kinematics that the warehouse holds already: read back, they give what follows bit for bit as if solved again."""

from collections.abc import Mapping

import numpy as np

from pipeline.records import Coordinates, Kinematics
from warehouse.errors import WarehouseError
from warehouse.files.read import is_fresh, read_table
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

_FIXED = ("time_s", "marker_rms_m", "marker_max_m", "worst_marker")


def columns_of(kinematics: Kinematics) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The columns of table `kinematics`, and the unit of each coordinate's."""
    coordinates = kinematics.coordinates
    columns = {
        "time_s": coordinates.time_s,
        "marker_rms_m": kinematics.marker_rms_m,
        "marker_max_m": kinematics.marker_max_m,
        "worst_marker": kinematics.worst_marker,
    }
    units = {}
    for name, rotational, values in zip(coordinates.names, coordinates.rotational, coordinates.values.T, strict=True):
        columns[name] = np.degrees(values) if rotational else values
        units[name] = "degree" if rotational else "m"
    return columns, units


def read_kinematics(warehouse: Warehouse, key: TrialKey, provenance_keys: Mapping[str, str]) -> Kinematics | None:
    """A trial's kinematics if the warehouse holds what these keys (by stage) would give; else None."""
    if not is_fresh(warehouse, "kinematics", key, provenance_keys["inverse_kinematics"]):
        return None
    try:
        table = read_table(warehouse, "kinematics", key)
    except WarehouseError:
        return None  # Damaged: solved again.
    fields = [field for field in table.schema if b"unit" in (field.metadata or {})]
    names = tuple(f.name for f in fields if f.name not in (*_FIXED, "cohort", "subject", "session", "trial"))
    rotational = np.array([table.field(name).metadata[b"unit"] == b"degree" for name in names])
    values = np.stack([table[name].to_numpy() for name in names], axis=1)
    values[:, rotational] = np.radians(values[:, rotational])
    time_s = table["time_s"].to_numpy()
    return Kinematics(
        coordinates=Coordinates(time_s=time_s, names=names, rotational=rotational, values=values),
        marker_rms_m=table["marker_rms_m"].to_numpy(),
        marker_max_m=table["marker_max_m"].to_numpy(),
        worst_marker=np.array(table["worst_marker"].to_pylist(), dtype=str),
    )
