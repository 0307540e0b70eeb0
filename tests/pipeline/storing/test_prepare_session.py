import dataclasses
import errno
import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import BodyFigure, ScaledModel, SizingRecording
from tests.pipeline.session.test_session import COMPLETE
from tests.pipeline.storing.test_job import request_of
from warehouse.errors import WarehouseError
from warehouse.files.read import read_row, read_table
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse

pytestmark = pytest.mark.osim
module = pytest.importorskip("pipeline.storing.prepare_session")

SCALED = ScaledModel(
    osim_xml="<OpenSimDocument/>",
    scale_factors={"pelvis": (1.0, 1.1, 0.9)},
    body_mass_kg={"pelvis": 11.0},
    marker_error_m={"RASI": 0.004},
    dropped_markers=("LASI",),
    figures=(
        BodyFigure(figure="lumbar_extension", of="standing", value=-12.0, unit="degree", limit=20.0),
        BodyFigure(figure="standing_knee", of="knee_angle_r", value=12.0, unit="degree", report_limit=15.0, limit=30.0),
        BodyFigure(figure="zero", of="hip_flexion_r", value=0.0, sd=4.4, unit="degree", sd_limit=4.0),
    ),
    sized_by=(
        SizingRecording(file="static.c3d", stands=True),
        SizingRecording(file="walk 01.c3d", stands=False, left_out="markers: walk 01.c3d: shows no pelvis"),
    ),
)


@pytest.fixture(autouse=True)
def scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What scaling gives; the tests are about how it is stored."""
    monkeypatch.setattr(module, "standing_subject", lambda _: None)
    monkeypatch.setattr(module, "size_subject", lambda *_: SCALED)


def prepare(folder: Path, session: str, sex: str | None, warehouse: Path):
    folder = folder / session
    folder.mkdir(parents=True, exist_ok=True)
    text = COMPLETE.replace('id = "2026-05-12"', f'id = "{session}"')
    assert session in text
    text = "\n".join(line for line in text.splitlines() if not line.startswith("sex"))
    text = text if sex is None else text.replace("[subject]", f'[subject]\nsex = "{sex}"')
    (folder / "session.toml").write_text(text)
    for name in ("static.c3d", "walk 01.c3d", "walk_02.c3d", "model.osim"):
        (folder / name).write_text(name)
    return module.prepare_session(dataclasses.replace(request_of(folder), warehouse=str(warehouse)))


def content(warehouse: Path) -> dict[str, bytes]:
    return {str(path.relative_to(warehouse)): path.read_bytes() for path in sorted(warehouse.rglob("*.parquet"))}


def test_a_session_is_stored_with_its_tables_and_not_twice(tmp_path: Path) -> None:
    first = prepare(tmp_path, "v1", "F", tmp_path / "w")
    again = prepare(tmp_path, "v1", "F", tmp_path / "w")

    assert (first.accepted, first.fresh, again.fresh) == (True, False, True)
    warehouse = Warehouse(str(tmp_path / "w"))
    assert read_table(warehouse, "scaling", first.key)["scale_y"].to_pylist() == [1.1]
    static = read_table(warehouse, "static_markers", first.key)
    assert static["marker"].to_pylist() == ["RASI", "LASI"]
    np.testing.assert_array_equal(static["error_m"].to_numpy(), [0.004, np.nan])
    figures = read_table(warehouse, "body_figures", first.key)
    assert figures["of"].to_pylist() == ["standing", "knee_angle_r", "hip_flexion_r"]
    np.testing.assert_array_equal(figures["limit"].to_numpy(), [20.0, 30.0, np.nan])
    np.testing.assert_array_equal(figures["report_limit"].to_numpy(), [np.nan, 15.0, np.nan])
    assert figures["warning"].to_pylist() == [
        "",
        "",
        "the zero of hip_flexion_r is known to ± 4.4 degree, expected at most 4",
    ]
    assert read_table(warehouse, "sizing", first.key).select(["file", "role", "used", "reason"]).to_pylist() == [
        {"file": "static.c3d", "role": "static", "used": True, "reason": ""},
        {
            "file": "walk 01.c3d",
            "role": "walk",
            "used": False,
            "reason": "markers: walk 01.c3d: shows no pelvis",
        },
    ]
    assert read_row(warehouse, "sessions", first.key)["mass_kg"] == 70.0


@pytest.mark.parametrize("second", ["F", None])
def test_a_subjects_row_is_the_same_bytes_whichever_session_was_stored_last(tmp_path: Path, second: str | None) -> None:
    for warehouse, order in (("w1", ("v1", "v2")), ("w2", ("v2", "v1"))):
        for session in order:
            prepare(tmp_path, session, "F" if session == "v1" else second, tmp_path / warehouse)

    assert content(tmp_path / "w1") == content(tmp_path / "w2")


def test_sessions_that_contradict_each_other_leave_what_is_stored(tmp_path: Path) -> None:
    prepare(tmp_path, "v1", "F", tmp_path / "w")
    before = content(tmp_path / "w")

    with pytest.raises(ValueError, match="sex is 'M', an earlier session of this subject says 'F'"):
        prepare(tmp_path, "v2", "M", tmp_path / "w")

    assert content(tmp_path / "w") == before


def test_a_full_disk_leaves_the_earlier_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = prepare(tmp_path, "v1", "F", tmp_path / "w").key
    before = content(tmp_path / "w")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "is_session_fresh", lambda *_: False)
    monkeypatch.setattr(module, "size_subject", lambda *_: dataclasses.replace(SCALED, osim_xml="<newer/>"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(WarehouseError, match=r"can't write .*v1\.osim: the disk is full"):
            prepare(tmp_path, "v1", "F", tmp_path / "w")

    assert content(tmp_path / "w") == before
    assert isinstance(key, SessionKey)
