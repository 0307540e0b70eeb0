from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.samples import N_SAMPLES, cycles_columns, frame_tables, load_columns, trial_row
from warehouse.channels import LOAD_CHANNELS
from warehouse.files.build import build_table
from warehouse.identity import TrialKey
from warehouse.schemas import schema_of

KEY = TrialKey(cohort="adults", subject="001", session="v1", trial="t")


def kinematics(**changes: object) -> pa.Table:
    columns, units = frame_tables()["kinematics"]
    return build_table(schema_of("kinematics"), KEY, columns | changes, units)


def trial(**changes: object) -> pa.Table:
    return build_table(schema_of("trials"), KEY, {k: [v] for k, v in trial_row(**changes).items()}, {})


def cycles(columns: Mapping[str, object]) -> pa.Table:
    return build_table(schema_of("cycles"), KEY, columns, {})


def test_identity_comes_first_and_from_the_key() -> None:
    table = kinematics()
    assert table.column_names[:5] == ["cohort", "subject", "session", "trial", "time_s"]
    assert set(table.column("subject").to_pylist()) == {"001"}


def test_model_columns_keep_the_models_order_and_their_units() -> None:
    table = kinematics()
    assert table.column_names[-5:] == ["pelvis_tx", "pelvis_tilt", "hip_flexion_r", "hip_flexion_l", "error_RASI"]
    assert table.field("pelvis_tx").metadata[b"unit"] == b"m"
    assert table.field("pelvis_tilt").metadata[b"unit"] == b"degree"


def test_a_caller_who_names_the_identity_is_refused() -> None:
    with pytest.raises(ValueError, match="takes no column 'subject'"):
        kinematics(subject=["002"] * 50)


def test_a_column_of_another_length_is_named_with_the_lengths() -> None:
    with pytest.raises(ValueError, match=r"differ in length.*pelvis_tx has 7"):
        kinematics(pelvis_tx=np.zeros(7))


def test_a_missing_fixed_column_is_named() -> None:
    columns, units = frame_tables()["forces"]
    del columns["converged"]
    with pytest.raises(ValueError, match="'forces' lacks its column 'converged'"):
        build_table(schema_of("forces"), KEY, columns, units)


def test_a_column_added_later_may_be_left_out_and_is_then_not_in_the_file() -> None:
    without = cycles(cycles_columns())
    whole = cycles(cycles_columns() | load_columns(3 * N_SAMPLES))
    assert [*without.column_names, *LOAD_CHANNELS] == whole.column_names


def test_an_unknown_column_is_named() -> None:
    columns, units = frame_tables()["grf"]
    with pytest.raises(ValueError, match="'grf' takes no column 'cop_w_r'"):
        build_table(schema_of("grf"), KEY, columns | {"cop_w_r": columns["cop_x_r"]}, units)


def test_a_unit_for_no_column_is_refused() -> None:
    columns, _ = frame_tables()["activations"]
    with pytest.raises(ValueError, match=r"units are given for \['soleus_q'\]"):
        build_table(schema_of("activations"), KEY, columns, {"soleus_q": "1"})


@pytest.mark.parametrize("bad", [0.0, -0.01])
def test_time_must_increase(bad: float) -> None:
    time_s = np.arange(50) / 100
    time_s[7] = time_s[6] + bad
    with pytest.raises(ValueError, match="'time_s': it does not increase at row 7"):
        kinematics(time_s=time_s)


def test_nan_is_refused_where_a_value_must_be_known_and_kept_where_it_may_be_missing() -> None:
    holed = np.ones(50)
    holed[3] = np.nan
    with pytest.raises(ValueError, match="'kinematics', column 'pelvis_tx': row 3 is NaN"):
        kinematics(pelvis_tx=holed)
    stored = kinematics(marker_rms_m=holed).column("marker_rms_m")
    assert stored.null_count == 0
    assert np.isnan(stored.to_numpy()).tolist() == np.isnan(holed).tolist()


def test_infinity_is_refused_everywhere() -> None:
    with pytest.raises(ValueError, match="'marker_rms_m': row 0 is infinite"):
        kinematics(marker_rms_m=np.full(50, np.inf))


def test_none_is_refused_over_time() -> None:
    with pytest.raises(ValueError, match="'pelvis_tx': row 1 is null"):
        kinematics(pelvis_tx=[1.0, None, *[0.0] * 48])


def test_numbers_are_not_made_of_text_nor_fractions_cut() -> None:
    with pytest.raises(ValueError, match="'pelvis_tx': expected double"):
        kinematics(pelvis_tx=["1.0"] * 50)
    with pytest.raises(ValueError, match="'n_cycles_left': expected int32"):
        trial(n_cycles_left=1.5)


def test_two_dimensions_are_refused_with_their_shape() -> None:
    with pytest.raises(ValueError, match=r"array of shape \(50, 1\)"):
        kinematics(pelvis_tx=np.zeros((50, 1)))


def test_what_may_be_unknown_can_be_left_out_and_nan_means_the_same() -> None:
    row = trial(marker_error_max_m=float("nan")).to_pylist()[0]
    assert row["stage"] is None
    assert row["marker_error_max_m"] is None
    assert row["marker_rms_max_m"] == 0.012


def test_a_one_row_table_takes_one_row() -> None:
    two = {name: [value] * 2 for name, value in trial_row().items()}
    with pytest.raises(ValueError, match="'trials' holds one row per file, found 2"):
        build_table(schema_of("trials"), KEY, two, {})


@pytest.mark.parametrize(
    "changes",
    [{"outcome": "rejected"}, {"outcome": "rejected", "stage": "gaps"}, {"stage": "gaps", "reason": "why"}],
)
def test_rejected_means_a_stage_and_a_reason(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a rejected trial has a stage and a reason"):
        trial(**changes)


def test_an_outcome_is_one_of_two_words() -> None:
    with pytest.raises(ValueError, match="found 'maybe', expected one of accepted, rejected"):
        trial(outcome="maybe")


@given(n_right=st.integers(0, 4), n_left=st.integers(0, 4))
def test_whole_cycles_pass_however_many(n_right: int, n_left: int) -> None:
    assert cycles(cycles_columns(n_right, n_left)).num_rows == (n_right + n_left) * N_SAMPLES


def test_a_cycle_that_lacks_a_sample_is_refused() -> None:
    columns = {name: np.delete(values, 4) for name, values in cycles_columns().items()}
    with pytest.raises(ValueError, match="'sample': row 4 should be sample 4"):
        cycles(columns)


def test_a_cycles_number_is_used_once() -> None:
    columns = cycles_columns(2, 0)
    columns = {name: np.concatenate([values, values[:N_SAMPLES]]) for name, values in columns.items()}
    with pytest.raises(ValueError, match="its number is used twice"):
        cycles(columns)


def test_phase_runs_forward_from_0_to_1() -> None:
    columns = cycles_columns()
    with pytest.raises(ValueError, match="outside 0-1"):
        cycles(columns | {"phase": columns["phase"] * 100})
    with pytest.raises(ValueError, match="does not increase within a cycle"):
        cycles(columns | {"phase": np.zeros_like(columns["phase"])})
