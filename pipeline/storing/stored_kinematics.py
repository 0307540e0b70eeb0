"""Kinematics that the warehouse holds already: read back, they give what follows bit for bit as if solved again."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from pipeline.records import Coordinates, Kinematics
from warehouse.errors import WarehouseError
from warehouse.files.read import is_fresh, read_table
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

# What a marker's column is called, before its label.
_ERROR = "error_"
_FIXED = ("time_s", "marker_rms_m", "marker_max_m", "worst_marker", "cohort", "subject", "session", "trial")


def columns_of(kinematics: Kinematics) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The columns of tables `kinematics` and `rejected_kinematics`, and the unit of each that depends on the model."""
    coordinates = kinematics.coordinates
    columns = {
        "time_s": coordinates.time_s,
        "marker_rms_m": kinematics.marker_rms_m,
        "marker_max_m": kinematics.marker_max_m,
        "worst_marker": kinematics.worst_marker,
    }
    errors = {
        f"{_ERROR}{name}": error_m
        for name, error_m in zip(kinematics.marker_names, kinematics.marker_error_m.T, strict=True)
    }
    units = {}
    for name, rotational, values in zip(coordinates.names, coordinates.rotational, coordinates.values.T, strict=True):
        columns[name] = np.degrees(values) if rotational else values
        units[name] = "degree" if rotational else "m"
    return {**columns, **errors}, units


def read_kinematics(warehouse: Warehouse, key: TrialKey, provenance_keys: Mapping[str, str]) -> Kinematics | None:
    """A trial's kinematics if the warehouse holds what these keys (by stage) would give; else None.

    Those of a rejected trial are as good: they were solved from the same markers.
    """
    made_by = provenance_keys["inverse_kinematics"]
    for table in ("kinematics", "rejected_kinematics"):
        if is_fresh(warehouse, table, key, made_by):
            try:
                return _kinematics(read_table(warehouse, table, key))
            except WarehouseError:
                pass  # Damaged: solved again.
    return None


def _kinematics(table: pa.Table) -> Kinematics:
    own = [name for name in table.column_names if name not in _FIXED]
    errors = [name for name in own if name.startswith(_ERROR)]
    names = tuple(name for name in own if name not in errors)
    rotational = np.array([table.field(name).metadata[b"unit"] == b"degree" for name in names])
    values = np.stack([table[name].to_numpy() for name in names], axis=1)
    values[:, rotational] = np.radians(values[:, rotational])
    time_s = table["time_s"].to_numpy()
    return Kinematics(
        coordinates=Coordinates(time_s=time_s, names=names, rotational=rotational, values=values),
        marker_names=tuple(name.removeprefix(_ERROR) for name in errors),
        marker_error_m=np.stack([table[name].to_numpy() for name in errors], axis=1)
        if errors
        else np.empty((len(time_s), 0)),
    )
