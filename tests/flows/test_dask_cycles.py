from functools import partial

import pandas as pd
import pytest

from tests.warehouse.conftest import store_whole_trial
from warehouse import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

pytest.importorskip("dask.dataframe", reason="needs the extra `dask`")

from flows.dask_cycles import cycles


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    found = Warehouse(str(tmp_path_factory.mktemp("dask") / "warehouse"))
    store = partial(store_whole_trial, found)
    for subject, condition in (("001", "slow"), ("002", "slow"), ("002", "fast")):
        store(TrialKey(cohort="adults", subject=subject, session="day1", trial=condition), condition=condition)
    return found


def test_dask_gives_what_pandas_gives(warehouse: Warehouse) -> None:
    lazy = cycles(warehouse)

    assert lazy.npartitions == 3
    at_once = read.cycles(warehouse).to_pandas()
    pd.testing.assert_frame_equal(lazy.compute().reset_index(drop=True), at_once, check_dtype=False)


def test_only_the_columns_and_trials_asked_for_are_read(warehouse: Warehouse) -> None:
    lazy = cycles(warehouse, columns=["subject", "force_tfl"], conditions=["slow"], subjects=["002"])

    assert list(lazy.columns) == ["subject", "force_tfl"]
    assert lazy.npartitions == 1
    # Text stays text: 002 is no number.
    assert set(lazy.compute().subject) == {"002"}


def test_a_sum_over_all_trials_is_the_same(warehouse: Warehouse) -> None:
    lazy = cycles(warehouse, columns=["subject", "force_tfl"])

    found = lazy.groupby("subject").force_tfl.mean().compute().sort_index()

    expected = read.cycles(warehouse).to_pandas().groupby("subject").force_tfl.mean()
    pd.testing.assert_series_equal(found, expected, check_dtype=False, check_index_type=False)


def test_nothing_that_fits_is_said(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="no gait cycle"):
        cycles(warehouse, cohort="children")
