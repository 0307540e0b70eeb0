import numpy as np
import pyarrow as pa
import pytest

from reports.pages.curves import band, page_cycles
from warehouse.errors import WarehouseError

N_SAMPLES = 3


def a_table(cycles: list[tuple[str, str, list[float]]]) -> pa.Table:
    """The long table of cycles given as (subject, condition, values of one channel)."""
    lengths = [len(values) for _, _, values in cycles]
    return pa.table(
        {
            "cohort": np.repeat("adults", sum(lengths)),
            "subject": np.repeat([subject for subject, _, _ in cycles], lengths),
            "condition": np.repeat([condition for _, condition, _ in cycles], lengths),
            "sample": np.concatenate([np.arange(length) for length in lengths]),
            "angle": np.concatenate([values for _, _, values in cycles]),
        }
    )


def test_every_subject_counts_once_however_many_cycles_they_walked() -> None:
    table = a_table(
        [("A", "slow", [0, 0, 0]), ("A", "slow", [2, 2, 2]), ("A", "slow", [1, 1, 1]), ("B", "slow", [5] * 3)]
    )

    found = band(page_cycles(table, ["angle"]), "angle")

    assert found.mean.tolist() == [3, 3, 3]
    assert found.sd == pytest.approx([np.sqrt(8)] * N_SAMPLES)
    assert (found.n_subjects, found.n_cycles) == (2, 4)


def test_a_cycle_with_an_unknown_value_is_left_out() -> None:
    table = a_table([("A", "slow", [1, 1, 1]), ("A", "slow", [9, np.nan, 9]), ("B", "slow", [np.nan] * 3)])

    found = band(page_cycles(table, ["angle"]), "angle")

    assert found.mean.tolist() == [1, 1, 1]
    assert np.isnan(found.sd).all()
    assert (found.n_subjects, found.n_cycles) == (1, 1)


def test_conditions_are_kept_apart() -> None:
    cycles = page_cycles(a_table([("A", "slow", [1, 1, 1]), ("A", "fast", [7, 7, 7])]), ["angle"])

    assert band(cycles.where("adults", "fast"), "angle").mean.tolist() == [7, 7, 7]
    assert band(cycles.where("children", "fast"), "angle").n_cycles == 0


def test_cycles_of_unequal_lengths_are_refused() -> None:
    table = a_table([("A", "slow", [1, 1, 1]), ("B", "slow", [1, 1])])

    with pytest.raises(WarehouseError, match=r"cycles of 2, 3 samples .* different cycle_points"):
        page_cycles(table, ["angle"])
