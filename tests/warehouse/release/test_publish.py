import errno
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.warehouse.release.conftest import Order
from warehouse.errors import MissingFile, WarehouseError
from warehouse.layout import Warehouse, temporary_path
from warehouse.release import build, publish
from warehouse.release.build import build_release
from warehouse.release.publish import damaged_releases, open_release, verify_release


def _names(warehouse: Warehouse) -> list[str]:
    return sorted(path.name for path in Path(warehouse.base, "releases").iterdir())


def test_a_release_is_found_again_and_whole(filled: Warehouse, order: Order) -> None:
    made = build_release(filled, order())

    found = open_release(made.root.root)

    assert found == made
    verify_release(found)
    assert _names(filled) == [Path(made.root.base).name]


def test_a_changed_file_is_found_out(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order())
    card = Path(release.root.base, "README.md")
    card.write_text(card.read_text().replace("18", "19"))

    with pytest.raises(WarehouseError, match=r"README.md is not what the release was published with"):
        verify_release(release)
    with pytest.raises(WarehouseError, match="not what the release was published with"):
        build_release(filled, order())


def test_files_changed_together_with_their_manifest_are_found_out(filled: Warehouse, order: Order) -> None:
    """Such a release would be whole by its own account; its folder's name says what it was."""
    release = build_release(filled, order())
    folder = Path(release.root.base)
    audit = b'{"n_cycles": 18, "n_subjects": 5, "not_judged": [], "verdicts": []}'
    digest = hashlib.sha256(audit).hexdigest()
    assert release.manifest.files["audit.json"].sha256 != digest
    manifest = (folder / "release.json").read_text().replace(release.manifest.files["audit.json"].sha256, digest)
    (folder / "audit.json").write_bytes(audit)
    (folder / "release.json").write_text(manifest)

    for use in (lambda: open_release(release.root.root), lambda: build_release(filled, order())):
        with pytest.raises(
            WarehouseError, match=r"release.json is not the manifest that the folder's name is the hash of"
        ):
            use()
    assert list(damaged_releases(filled)) == [release.root.base]


def test_where_there_is_no_release_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"no release at .*it has no release.json"):
        open_release(str(tmp_path))


def test_a_full_disk_leaves_nothing_behind(filled: Warehouse, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(build, "plain_json", full)

    with pytest.raises(WarehouseError, match="the disk is full"):
        build_release(filled, order())

    assert _names(filled) == []


def test_what_a_killed_process_left_is_cleared_away(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order())
    running = temporary_path(Path(filled.base, "releases", "first"))
    running.mkdir()
    left = running.with_name(running.name.replace(f"-{os.getpid()}.", f"-{2**22 - 1}."))
    shutil.copytree(release.root.base, left)

    build_release(filled, order())

    assert _names(filled) == [running.name, Path(release.root.base).name]


def test_a_release_that_another_process_published_meanwhile_is_kept(
    filled: Warehouse, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = build_release(filled, order())
    answers = iter([False, True])
    monkeypatch.setattr(publish.storage, "exists", lambda *_: next(answers))

    assert build_release(filled, order()) == release
    assert _names(filled) == [Path(release.root.base).name]


def test_a_folder_emptied_by_hand_is_not_taken_for_the_release(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order())
    Path(release.root.base, "release.json").unlink()

    with pytest.raises(WarehouseError, match=r"without its release.json: remove that folder"):
        build_release(filled, order())
