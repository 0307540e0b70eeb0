"""Publish a release: it is staged in a temporary folder and renamed, so that it appears whole and never changes."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from warehouse.errors import MissingFile, WarehouseError
from warehouse.files import storage
from warehouse.layout import Warehouse, file_path, release_root, releases_directory, staging_target, temporary_path
from warehouse.release.manifest import MANIFEST_FILE, Manifest, ReleasedFile, parse_manifest, release_folder

_PUBLISHED_NAME = re.compile(r"[^/]+-[0-9a-f]{12}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A published release: its folder (as a root of its own) and its manifest."""

    root: Warehouse
    manifest: Manifest

    def read(self, name: str) -> bytes:
        """The content of one of its files, checked against the manifest. WarehouseError if it was changed."""
        return self.buffer(name).to_pybytes()

    def buffer(self, name: str) -> pa.Buffer:
        """`read` without a copy: a local file is memory-mapped, and read once for its hash."""
        path = file_path(self.root, name)
        content = storage.map_file(self.root, path)
        entry = self.manifest.files.get(name)
        if entry is None or hashlib.sha256(content).hexdigest() != entry.sha256:
            raise WarehouseError(
                f"{path} is not what the release was published with: it was changed or damaged. Remove the release's "
                "folder and cut it again with `gait2hip release`."
            )
        return content


def open_release(root: str) -> Release:
    """The release in a folder, local or `s3://…`. MissingFile if there is none, WarehouseError if it is damaged."""
    folder = Warehouse(root)
    path = file_path(folder, MANIFEST_FILE)
    try:
        raw = storage.read_bytes(folder, path)
    except MissingFile as error:
        raise MissingFile(
            f"there is no release at {root}: it has no {MANIFEST_FILE}. "
            "Name the folder that `gait2hip release` printed."
        ) from error
    manifest = parse_manifest(path, raw)
    # The folder's name holds the manifest's hash, unless somebody has given it another name.
    named = _PUBLISHED_NAME.search(folder.base)
    if named and (raw != manifest.as_bytes() or named[0] != release_folder(manifest)):
        raise WarehouseError(
            f"{path} is not the manifest that the folder's name is the hash of: the folder was renamed, or the "
            f"manifest changed or damaged. By what it says now the folder is {release_folder(manifest)}: give it that "
            "name if you renamed it, or else cut the release again with `gait2hip release`."
        )
    return Release(root=folder, manifest=manifest)


def verify_release(release: Release) -> None:
    """Check every file of a release. WarehouseError names the first that is missing or was changed."""
    for name in release.manifest.files:
        release.read(name)


def damaged_releases(warehouse: Warehouse) -> dict[str, str]:
    """The folders of a warehouse's releases that are not as they were published, and why."""
    directory = releases_directory(warehouse)
    below = [path.removeprefix(f"{directory}/").partition("/") for path in storage.files_under(warehouse, directory)]
    damaged = {}
    for folder in sorted({name for name, slash, _ in below if slash and not name.startswith(".")}):
        try:
            verify_release(open_release(release_root(warehouse, folder).root))
        except WarehouseError as error:
            damaged[f"{directory}/{folder}"] = str(error)
    return damaged


@contextmanager
def staging(warehouse: Warehouse, name: str) -> Iterator[Path]:
    """A new local folder to build a release in, removed afterwards if the release was not published.

    On a local disk it lies beside the releases, so that publishing is one rename, and is hidden, so that it is not
    taken for a release.
    """
    with storage.describe_os_errors("make a release in", warehouse.base):
        folder = _staging_folder(warehouse, name)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def staged_files(staged: Path) -> dict[str, ReleasedFile]:
    """The hash and length of each staged file."""
    return {file.name: _entry(file) for file in sorted(staged.iterdir())}


def publish(warehouse: Warehouse, staged: Path, manifest: Manifest) -> Release:
    """Give a staged release its name. An existing release with the same content is checked and kept.

    WarehouseError if a file of the existing release was changed, alone or together with its manifest.
    """
    folder = release_folder(manifest)
    target = release_root(warehouse, folder)
    with storage.describe_os_errors("write", staged.as_posix()):
        (staged / MANIFEST_FILE).write_bytes(manifest.as_bytes())
    if not storage.exists(target, file_path(target, MANIFEST_FILE)):
        _move(staged, target)
    release = open_release(target.root)
    verify_release(release)
    return release


def _staging_folder(warehouse: Warehouse, name: str) -> Path:
    if not warehouse.is_local:
        return Path(tempfile.mkdtemp(prefix="gait2hip-release-"))
    target = staging_target(warehouse, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    storage.remove_leftovers(target.parent)
    folder = temporary_path(target)
    folder.mkdir()
    return folder


def _move(staged: Path, target: Warehouse) -> None:
    if not target.is_local:
        # An object store can't rename a folder: the manifest is written last and vouches for the other files.
        for file in sorted(staged.iterdir(), key=lambda file: (file.name == MANIFEST_FILE, file.name)):
            storage.write_bytes(target, file_path(target, file.name), file.read_bytes())
        return
    with storage.describe_os_errors("write", target.base):
        for file in staged.iterdir():
            storage.flush(file)
        storage.flush(staged)
        try:
            staged.rename(target.base)
        except OSError as error:
            _refuse_unless_there(target, error)
        storage.flush(Path(target.base).parent)


def _refuse_unless_there(target: Warehouse, error: OSError) -> None:
    # Another process may have published the same release meanwhile; a folder without a manifest was emptied by hand.
    if Path(target.base).is_dir():
        if not storage.exists(target, file_path(target, MANIFEST_FILE)):
            raise WarehouseError(
                f"{target.base} is there, but without its {MANIFEST_FILE}: remove that folder and run again."
            ) from error
        return
    raise error


def _entry(file: Path) -> ReleasedFile:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return ReleasedFile(sha256=digest, n_bytes=file.stat().st_size)
