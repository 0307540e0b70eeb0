"""One program serves a warehouse, and what fails in one section is told at the end and stops no other."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import serve
from flows.deploy_config import load_deploy
from flows.serve import AlreadyServed, NotDone, run_once
from tests.flows.test_deploy_config import WHOLE, write


def test_a_second_one_for_the_same_warehouse_says_so(tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "warehouse")
    with serve._only_one(str(tmp_path / "warehouse"), tmp_path / "home"):
        for name in ("warehouse", "link"):
            with (
                pytest.raises(AlreadyServed, match="end that one first"),
                serve._only_one(str(tmp_path / name), tmp_path / "home"),
            ):
                pass
        with serve._only_one(str(tmp_path / "other"), tmp_path / "home"):
            pass
    with serve._only_one(str(tmp_path / "warehouse"), tmp_path / "home"):
        pass


def test_every_section_is_run_and_what_failed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    class Flow:
        def __init__(self, name: str, error: Exception | None = None) -> None:
            self.name, self.error = name, error

        def __call__(self, **parameters: object) -> None:
            ran.append((self.name, parameters))
            if self.error is not None:
                raise self.error

    flows = [Flow("ingest-inbox", OSError(28, "No space left on device")), Flow("regenerate")]
    fake = SimpleNamespace(flows_of=lambda _: [(flow, {"warehouse": "w"}, None) for flow in flows])
    monkeypatch.setitem(sys.modules, "flows.deployments", fake)
    monkeypatch.setattr(serve, "start_prefect", lambda: None)
    with pytest.raises(NotDone, match=r"ingest-inbox: OSError: .*No space left"):
        run_once(load_deploy(write(tmp_path, WHOLE)))
    assert ran == [("ingest-inbox", {"warehouse": "w"}), ("regenerate", {"warehouse": "w"})]
