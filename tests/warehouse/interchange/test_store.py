from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.warehouse.conftest import TrialWriter
from tests.warehouse.interchange import published
from warehouse.identity import SessionKey, TrialKey
from warehouse.interchange import store
from warehouse.interchange.import_npz import import_npz
from warehouse.layout import Warehouse


def _files(warehouse: Warehouse) -> dict[str, bytes]:
    root = Path(warehouse.base)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_subject_has_one_mass(tmp_path: Path, warehouse: Warehouse) -> None:
    file = published.write(tmp_path, "forces", {"weight_kg": published.MASS_KG + np.arange(12)})

    with pytest.raises(ValueError, match=r"subject H01 has mass and height .* in Gait2Hip_MF60.npz: cycle 1"):
        import_npz(warehouse, [file], "gait2hip60")

    assert not Path(warehouse.base).exists()


def test_our_own_trials_are_never_overwritten(tmp_path: Path, warehouse: Warehouse, store_trial: TrialWriter) -> None:
    store_trial(TrialKey(cohort="adults", subject="H01", session="published", trial="slow_01"))

    with pytest.raises(ValueError, match=r"the cohort adults .* holds adults/H01/published/slow_01.*--cohort NAME"):
        import_npz(warehouse, [published.write(tmp_path, "forces")], "adults")

    assert import_npz(warehouse, [published.write(tmp_path, "forces")], "gait2hip60") == 12


def test_forces_alone_don_t_drop_the_moments(tmp_path: Path, warehouse: Warehouse) -> None:
    forces, moments = published.write(tmp_path, "forces"), published.write(tmp_path, "moments")
    import_npz(warehouse, [forces], "gait2hip60")
    import_npz(warehouse, [forces, moments], "gait2hip60")
    before = _files(warehouse)

    with pytest.raises(ValueError, match=r"Gait2Hip_MF60.npz: the cohort gait2hip60 .* was imported from .*JM60.npz"):
        import_npz(warehouse, [forces], "gait2hip60")

    assert _files(warehouse) == before


def test_subjects_are_locked_while_they_are_stored(
    tmp_path: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str] = []

    @contextmanager
    def lock(_: Warehouse, key: SessionKey) -> Iterator[None]:
        held.append(key.subject)
        yield

    monkeypatch.setattr(store, "one_writer", lock)

    import_npz(warehouse, [published.write(tmp_path, "forces")], "gait2hip60")

    assert held == ["H01", "H02", "H03", "H04"] * 2
