import functools
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.warehouse.one_file import write_table
from tests.warehouse.release.conftest import Order, trial
from tests.warehouse.samples import MADE, N_SAMPLES, cycles_columns, load_columns
from warehouse.channels import FORCE_CHANNELS, INPUT_COORDINATES, LOAD_CHANNELS, MOMENT_CHANNELS
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.layout import Warehouse
from warehouse.release.arrays import load, read_split
from warehouse.release.build import build_release
from warehouse.release.split import hold_out_named


def test_arrays_hold_what_is_stored(filled: Warehouse, order: Order) -> None:
    arrays = load(build_release(filled, order()).root.root)

    stored = read.cycles_as_right(filled).to_pandas()
    assert arrays.inputs_deg.shape == (18, N_SAMPLES, 10)
    assert arrays.forces_n_kg.shape == (18, N_SAMPLES, 14)
    assert arrays.moments_nm_kg.shape == (18, N_SAMPLES, 3)
    for values, names in (
        (arrays.inputs_deg, INPUT_COORDINATES),
        (arrays.forces_n_kg, FORCE_CHANNELS),
        (arrays.moments_nm_kg, MOMENT_CHANNELS),
    ):
        expected = stored[list(names)].to_numpy().reshape(18, N_SAMPLES, len(names))
        np.testing.assert_allclose(values, expected, rtol=1e-6)
    first = stored[stored["sample"] == 0]
    assert list(arrays.subject) == list(first.cohort + "/" + first.subject)
    assert list(arrays.side) == list(first.side)
    assert list(arrays.condition) == list(first.condition)
    np.testing.assert_array_equal(arrays.duration_s, first.duration_s)
    assert arrays.n_left_out == 0


def test_masks_follow_the_split(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order(split=functools.partial(hold_out_named, named=("children/S01",))))

    arrays = load(release.root.root)

    assert set(arrays.subject[arrays.test]) == {"children/S01"}
    assert (arrays.train == ~arrays.test).all()
    assert read_split(release).test == ("children/S01",)


def test_cycles_without_a_target_are_left_out_and_counted(filled: Warehouse, order: Order) -> None:
    key = trial("adults", "S02", "walk_slow")
    columns = cycles_columns()
    columns["moment_hip_rotation"] = np.where(columns["side"] == "left", np.nan, columns["moment_hip_rotation"])
    write_table(filled, "cycles", key, columns, **MADE)
    root = build_release(filled, order()).root.root

    arrays = load(root)

    assert (len(arrays), arrays.n_left_out) == (17, 1)
    assert np.isfinite(arrays.moments_nm_kg).all()
    assert "left" not in arrays.side[arrays.subject == "adults/S02"]
    # Its forces are known all the same.
    forces_only = load(root, targets=("forces",))
    assert (len(forces_only), forces_only.n_left_out) == (18, 0)
    assert forces_only.moments_nm_kg.shape == (18, N_SAMPLES, 0)


def test_contact_forces_are_loaded_if_they_are_named(with_loads: Warehouse, order: Order) -> None:
    root = build_release(with_loads, order()).root.root

    arrays, named = load(root), load(root, targets=("loads", "moments"))

    assert (arrays.loads_n_kg.shape, arrays.load_names) == ((18, N_SAMPLES, 0), ())
    assert (named.load_names, named.moment_names, named.force_names) == (LOAD_CHANNELS, MOMENT_CHANNELS, ())
    stored = load_columns(3 * N_SAMPLES)["load_hip_z"].reshape(3, N_SAMPLES)
    np.testing.assert_allclose(named.loads_n_kg[:3, :, 2], stored, rtol=1e-6, atol=1e-6)


def test_a_cycle_whose_contact_force_is_not_known_has_its_other_targets(with_loads: Warehouse, order: Order) -> None:
    columns = cycles_columns() | load_columns(3 * N_SAMPLES)
    columns |= {name: np.where(columns["side"] == "left", np.nan, columns[name]) for name in LOAD_CHANNELS}
    write_table(with_loads, "cycles", trial("adults", "S02", "walk_slow"), columns, **MADE)
    root = build_release(with_loads, order()).root.root

    assert load(root).n_left_out == 0
    assert load(root, targets=("loads", "moments")).left_out == (
        f"adults/S02/day1/walk_slow left cycle 0: {', '.join(LOAD_CHANNELS)} not known",
    )


def test_a_kind_of_target_that_is_not_there_is_refused(filled: Warehouse, order: Order) -> None:
    for found in read.trials(filled):
        columns = cycles_columns(condition=str(found.summary["condition"]))
        columns |= {name: np.full_like(values, np.nan) for name, values in columns.items() if "force_" in name}
        write_table(filled, "cycles", read.trial_key(found), columns, **MADE)
    release = build_release(filled, order())

    with pytest.raises(ValueError, match="has no forces; it has moments"):
        load(release.root.root, targets=("forces",))

    arrays = load(release.root.root)
    assert arrays.force_names == ()
    assert len(arrays) == 18
    statistics = json.loads(release.read("stats.json"))
    assert statistics["force_tfl"]["n"] == 0
    assert statistics["moment_hip_flexion"]["n"] > 0


def test_a_damaged_file_is_named(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order())
    file = Path(release.root.base, "cycles.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 3 : len(content) // 3 + 400] = bytes(400)
    file.write_bytes(content)

    with pytest.raises(WarehouseError, match=r"cycles\.parquet is not what the release was published with"):
        load(release.root.root)


def test_another_number_in_a_whole_file_is_found_out(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order())
    file = Path(release.root.base, "cycles.parquet")
    table = pq.read_table(file)
    place = table.schema.get_field_index("force_glmed")
    doubled = pa.array(2 * table["force_glmed"].to_numpy())
    pq.write_table(table.set_column(place, table.schema.field(place), doubled), file)

    with pytest.raises(WarehouseError, match=r"cycles\.parquet is not what the release was published with"):
        load(release.root.root)


def test_another_split_is_found_out(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order(split=functools.partial(hold_out_named, named=("S02",))))
    file = Path(release.root.base, "split.json")
    file.write_text(file.read_text().replace("S02", "S03"))

    with pytest.raises(WarehouseError, match=r"split\.json is not what the release was published with"):
        load(release.root.root)
