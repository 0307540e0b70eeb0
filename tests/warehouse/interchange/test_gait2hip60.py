from pathlib import Path

import numpy as np
import pytest

from tests.warehouse.interchange import published
from warehouse.channels import TargetKind
from warehouse.interchange.gait2hip60 import read_published


@pytest.mark.parametrize("kind", ["forces", "moments"])
def test_a_published_file_is_read(tmp_path: Path, kind: TargetKind) -> None:
    found = read_published(published.write(tmp_path, kind))

    written = published.arrays(kind)
    assert found.kind == kind
    np.testing.assert_array_equal(found.inputs_deg, written["X"])
    np.testing.assert_array_equal(found.targets, written["Y"])
    assert list(found.subject) == list(published.SUBJECTS)
    assert list(found.condition) == list(published.CONDITIONS)
    np.testing.assert_array_equal(found.mass_kg, published.MASS_KG)


def _with_nan() -> np.ndarray:
    values = published.arrays("forces")["Y"].copy()
    values[5, 100, 3] = np.nan
    return values


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_kg": None}, r"lacks weight_kg; it holds X \(12, 180, 10\)"),
        ({"X": np.zeros((12, 101, 10))}, r"X is \(12, 101, 10\), expected \(12, 180, 10\)"),
        ({"X": np.zeros((0, 180, 10))}, r"X is \(0, 180, 10\), expected .* with at least one cycle"),
        ({"X": np.float64(3)}, r"X is \(\), expected"),
        ({"Y": np.zeros((11, 180, 14))}, r"Y is \(11, 180, 14\), expected \(12, 180, 14\)"),
        ({"Y": _with_nan()}, r"Y has NaN or infinity in cycle 5"),
        ({"X": np.full((12, 180, 10), "a")}, r"X holds <U1, expected numbers"),
        ({"subject_id": np.arange(12)}, r"subject_id holds int64, expected text"),
        ({"weight_kg": published.MASS_KG * 1000}, r"weight_kg is 55000 in cycle 0, expected 5-300. Another unit"),
        ({"height_m": published.HEIGHT_M * 100}, r"height_m is 155 in cycle 0, expected 0.5-2.5. Another unit"),
        ({"in_cols": published.arrays("forces")["in_cols"][::-1]}, r"in_cols are ankle_angle_l.*in this order"),
        ({"out_cols": published.arrays("forces")["out_cols"][::-1]}, r"out_cols are piri_r.*in this order"),
        ({"out_cols": np.array(["soleus_r"])}, r"out_cols are soleus_r; expected the 14 muscle groups"),
    ],
)  # fmt: skip
def test_a_file_of_another_layout_is_refused_by_name(
    tmp_path: Path, changes: dict[str, np.ndarray | None], message: str
) -> None:
    file = published.write(tmp_path, "forces", changes)

    with pytest.raises(ValueError, match=rf"Gait2Hip_MF60\.npz: {message}"):
        read_published(file)
