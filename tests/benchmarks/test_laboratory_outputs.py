"""What a laboratory stored, read from recordings that are made up."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.laboratory_outputs import StoredStride, ending_of, laboratory_frame, laboratory_point


def recording(**outputs: np.ndarray) -> SimpleNamespace:
    return SimpleNamespace(
        marker_labels=(), model_outputs={name: SimpleNamespace(values=values) for name, values in outputs.items()}
    )


def test_frames_that_were_left_at_zero_are_not_known() -> None:
    values = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    found = laboratory_point(recording(RHipMoment=values), "RHipMoment")
    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1], values[1])


@pytest.mark.parametrize(("stored", "ending"), [("RHipMoment", ""), ("RHipMoment_M", "_M"), ("RHipMoment_X", None)])
def test_a_laboratory_s_own_ending_is_found(stored: str, ending: str | None) -> None:
    assert ending_of(recording(**{stored: np.ones((2, 3))}), "RHipMoment") == ending


def test_vicons_axes_become_forward_up_and_right() -> None:
    """A thigh that stands and faces along the laboratory's x, z up; a foot's proximal axis points to its heel."""
    origin = np.array([[5.0, 5.0, 5.0]])
    ends = {"O": (0, 0, 0), "A": (300, 0, 0), "L": (0, 300, 0), "P": (0, 0, 300)}
    thigh = recording(**{f"RFE_M{end}": origin + step for end, step in ends.items()})
    standing = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    np.testing.assert_allclose(laboratory_frame(thigh, "RFE", "_M")[0], standing)

    ends |= {"A": (0, 0, 300), "P": (-300, 0, 0)}
    foot = recording(**{f"LFO{end}": origin + step for end, step in ends.items()})
    np.testing.assert_allclose(laboratory_frame(foot, "LFO", "")[0], standing)


def test_a_stride_knows_its_frames_and_its_letter() -> None:
    stride = StoredStride(side="left", start_s=1.0, duration_s=1.0)
    assert stride.letter == "L"
    np.testing.assert_array_equal(stride.within(np.array([0.9, 1.0, 2.0, 2.1])), [False, True, True, False])
