import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.warehouse.one_file import write_table
from tests.warehouse.release.conftest import Order, trial
from tests.warehouse.samples import MADE, N_SAMPLES, cycles_columns
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.layout import Warehouse
from warehouse.release import cycles_file
from warehouse.release.build import build_release
from warehouse.release.cycles_file import Sampling
from warehouse.release.publish import Release


def _cycles(release: Release) -> pd.DataFrame:
    return pq.read_table(f"{release.root.base}/cycles.parquet").to_pandas()


def test_rows_that_begin_within_a_cycle_are_refused(
    filled: Warehouse, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = cycles_file.read_trial_cycles
    monkeypatch.setattr(cycles_file, "read_trial_cycles", lambda *which: whole(*which).slice(1))
    with pytest.raises(WarehouseError, match="don't begin with sample 0"):
        build_release(filled, order())


def test_cycles_are_resampled_to_the_points_asked_for(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order(sampling=Sampling(sides="both", points=21)))

    cycles = _cycles(release)
    assert release.manifest.points == 21
    assert len(cycles) == 6 * 3 * 21
    # Every second of 21 points is one of the 11 that are stored.
    every_second = cycles[cycles["sample"] % 2 == 0]
    np.testing.assert_allclose(every_second.phase, np.tile(np.linspace(0, 1, 11), 18), atol=1e-12)
    stored = read.cycles(filled).to_pandas()
    np.testing.assert_allclose(every_second.force_glmed, stored.force_glmed, rtol=1e-6)


def test_cycles_of_different_lengths_are_refused(filled: Warehouse, order: Order) -> None:
    key = trial("adults", "S02", "walk_slow")
    longer = {name: np.repeat(values, 2) for name, values in cycles_columns(1, 0).items()}
    longer |= {"sample": np.arange(2 * N_SAMPLES), "phase": np.linspace(0, 1, 2 * N_SAMPLES)}
    write_table(filled, "cycles", key, longer, **MADE)

    with pytest.raises(ValueError, match="11 and 22 samples"):
        build_release(filled, order())
