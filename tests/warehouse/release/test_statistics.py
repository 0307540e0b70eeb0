import numpy as np
import pyarrow as pa
import pytest

from warehouse.channels import ALL_CHANNELS
from warehouse.release.split import ReleaseSplit
from warehouse.release.statistics import Statistic, channel_statistics

SPLIT = ReleaseSplit(method="names", train=("a/1", "a/2"), test=("a/3",))


def _rows(subject: str, values: np.ndarray) -> pa.Table:
    n = len(values)
    return pa.table({"cohort": ["a"] * n, "subject": [subject] * n, **dict.fromkeys(ALL_CHANNELS, values)})


def test_mean_and_sd_are_those_of_all_rows_together() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(5, 2, 700), rng.normal(-50, 9, 31)

    found = channel_statistics([_rows("1", one), _rows("2", other)], SPLIT)["force_glmed"]

    both = np.r_[one, other]
    assert found.n == 731
    assert found.mean == pytest.approx(both.mean(), rel=1e-12)
    assert found.sd == pytest.approx(both.std(), rel=1e-12)


def test_a_test_subject_s_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="training subjects only; a/3"):
        channel_statistics([_rows("1", np.ones(3)), _rows("3", np.ones(3))], SPLIT)


def test_a_stranger_s_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="a/9"):
        channel_statistics([_rows("9", np.ones(3))], SPLIT)


def test_unknown_samples_do_not_count() -> None:
    found = channel_statistics([_rows("1", np.array([1.0, np.nan, 3.0])), _rows("2", np.full(4, np.nan))], SPLIT)

    assert found["moment_hip_flexion"] == Statistic(n=2, mean=2.0, sd=1.0)


def test_a_channel_that_nobody_has_has_no_statistics() -> None:
    found = channel_statistics([_rows("1", np.full(4, np.nan))], SPLIT)

    assert found["force_tfl"] == Statistic(n=0, mean=None, sd=None)
