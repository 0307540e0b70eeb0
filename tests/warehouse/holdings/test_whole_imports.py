import re
from pathlib import Path

import numpy as np
import pytest

from tests.warehouse.interchange import published
from tests.warehouse.samples import nothing_suspicious
from warehouse.errors import WarehouseError
from warehouse.holdings.status import status_text, warehouse_status
from warehouse.interchange import store
from warehouse.interchange.import_npz import import_npz
from warehouse.layout import Warehouse
from warehouse.release.build import ReleaseOrder, build_release
from warehouse.release.cycles_file import Sampling
from warehouse.release.selection import Selection
from warehouse.release.split import hold_out_none

_ORDER = ReleaseOrder(
    name="first",
    selection=Selection(),
    sampling=Sampling(sides="right", points=None),
    split=hold_out_none,
    audit=nothing_suspicious,
    licence=None,
)


class Killed(BaseException):
    """What ends a process without asking it."""


@pytest.mark.parametrize(
    ("writer", "n_before", "told"),
    [
        ("_store_subject", 2, "H01/published: 0 trials are stored of the 3 .* and 3 of other files"),
        ("_store_trial", 0, "H01/published: 0 trials are stored of the 3 .* and 3 of other files"),
        ("_store_trial", 7, "H03/published: 1 trials are stored of the 3 .* and 2 of other files"),
    ],
)
def test_an_import_that_was_killed_over_an_older_one_is_found_out(
    tmp_path: Path,
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    writer: str,
    n_before: int,
    told: str,
) -> None:
    import_npz(warehouse, [published.write(tmp_path, "forces")], "gait2hip60")
    corrected = published.write(tmp_path, "forces", {"Y": published.arrays("forces")["Y"] * np.float32(2)})
    _kill_after(monkeypatch, writer, n_before)
    with pytest.raises(Killed):
        import_npz(warehouse, [corrected], "gait2hip60")
    monkeypatch.undo()

    with pytest.raises(WarehouseError, match=told):
        build_release(warehouse, _ORDER)
    assert any(re.search(told, line) for line in warehouse_status(warehouse).partial_imports)

    import_npz(warehouse, [corrected], "gait2hip60")
    assert warehouse_status(warehouse).partial_imports == ()
    assert build_release(warehouse, _ORDER).manifest.n_cycles == 12


def test_a_first_import_that_was_killed_is_found_out(
    tmp_path: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even between two subjects: the last one's session is known, and its trials are missing."""
    file = published.write(tmp_path, "forces")
    _kill_after(monkeypatch, "_store_trial", 9)
    with pytest.raises(Killed):
        import_npz(warehouse, [file], "gait2hip60")
    monkeypatch.undo()

    with pytest.raises(WarehouseError, match=r"H04/published: 0 trials are stored of the 3 of Gait2Hip_MF60.npz"):
        build_release(warehouse, _ORDER)
    said = status_text(warehouse_status(warehouse))
    assert "\n1 imported in part:\n  gait2hip60/H04/published: 0 trials are stored of the 3 of " in said
    assert "Run `gait2hip import` with those files again." in said


def test_status_says_that_an_imported_session_s_row_can_t_be_read(tmp_path: Path, warehouse: Warehouse) -> None:
    import_npz(warehouse, [published.write(tmp_path, "forces")], "gait2hip60")
    row = Path(warehouse.base, "sessions", "gait2hip60", "H02", "published.parquet")
    row.write_bytes(row.read_bytes()[:100])

    (problem,) = warehouse_status(warehouse).partial_imports

    assert problem.startswith(f"{row} is not a whole Parquet file")


def _kill_after(monkeypatch: pytest.MonkeyPatch, writer: str, n_before: int) -> None:
    real, left = getattr(store, writer), iter(range(n_before))

    def killed(*arguments: object) -> None:
        if next(left, None) is None:
            raise Killed
        real(*arguments)

    monkeypatch.setattr(store, writer, killed)
