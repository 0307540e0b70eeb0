"""Bytes in, bytes out: a file appears whole or not at all, and a failure is a WarehouseError that names the path.

On a local (or network-mounted) disk a file is written under a temporary name beside its target, flushed and
renamed; in an object store one upload is whole by itself.
"""

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from warehouse.errors import MissingFile, WarehouseError
from warehouse.layout import Warehouse, owner_process, probe_path, temporary_files, temporary_path

# No writer takes this long over one file or release, and no two machines' clocks differ by as much: an older temporary
# file of another machine or container is a leftover.
_ABANDONED_AFTER_S = 24 * 3600.0

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

_ADVICE = {
    errno.ENOSPC: "the disk is full. Free some space and run the command again: nothing stored was lost.",
    errno.EDQUOT: "the disk quota is used up. Free some space and run again: nothing stored was lost.",
    errno.EACCES: "permission denied. Choose a warehouse you may write to, or have its permissions changed.",
    errno.EPERM: "permission denied. Choose a warehouse you may write to, or have its permissions changed.",
    errno.EROFS: "the file system is read-only. Choose a warehouse on a disk that can be written to.",
    errno.ENOTDIR: "a file stands where a folder is needed. Move that file, or choose another warehouse.",
    errno.EEXIST: "a file stands where a folder is needed. Move that file, or choose another warehouse.",
    errno.EISDIR: "a folder stands where a file is needed. Move that folder, or choose another warehouse.",
}


@contextlib.contextmanager
def describe_os_errors(action: str, path: str) -> Iterator[None]:
    """Turn the operating system's errors into a WarehouseError (or MissingFile) that says what to do."""
    try:
        yield
    except FileNotFoundError as error:
        raise MissingFile(f"can't {action} {path}: it does not exist.") from error
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, f"{error}. Check the path and the connection to the store.")
        raise WarehouseError(f"can't {action} {path}: {advice}") from error


def read_bytes(warehouse: Warehouse, path: str) -> bytes:
    """A whole file's content. MissingFile if there is none."""
    with describe_os_errors("read", path), warehouse.filesystem.open_input_file(path) as file:
        return file.read()


def map_file(warehouse: Warehouse, path: str) -> pa.Buffer:
    """A whole file's content, memory-mapped on a local disk: only what is accessed is read. MissingFile if none."""
    with describe_os_errors("read", path):
        if warehouse.is_local:
            with pa.memory_map(path) as file:
                return file.read_buffer()
        with warehouse.filesystem.open_input_file(path) as file:
            return file.read_buffer()


def write_bytes(warehouse: Warehouse, path: str, data: bytes) -> None:
    """Store a whole file, replacing an older one in one step. After a WarehouseError the older one is still there."""
    with _begun(warehouse, path, data) as finish, describe_os_errors("write", path):
        finish()


def replace_file(target: Path, data: bytes) -> None:
    """`write_bytes` for a file outside any warehouse, such as a page."""
    with describe_os_errors("write", str(target)), _staged(target, data) as finish:
        finish()


def write_bytes_together(
    warehouse: Warehouse, files: Mapping[str, bytes], *, voucher: str, obsolete: Sequence[str] = ()
) -> None:
    """Store files that belong together and remove those they make `obsolete`; `voucher` is the path of one of them.

    On a local disk all files are written under temporary names first, so a disk that fills up changes nothing. The
    voucher is removed before the other files change and is written last: a reader, at any time and after a kill, finds
    the voucher with everything it vouches for, or no voucher.
    """
    with contextlib.ExitStack() as stack:
        finish = {path: stack.enter_context(_begun(warehouse, path, content)) for path, content in files.items()}
        remove(warehouse, voucher)
        if warehouse.is_local:
            # Otherwise the old voucher could reappear beside new files after a power cut.
            with describe_os_errors("write", voucher):
                flush(Path(voucher).parent)
        for path in obsolete:
            remove(warehouse, path)
        for path in (*(path for path in files if path != voucher), voucher):
            with describe_os_errors("write", path):
                finish[path]()


def exists(warehouse: Warehouse, path: str) -> bool:
    """Whether there is a file of this name."""
    with describe_os_errors("look for", path):
        return bool(warehouse.filesystem.get_file_info(path).is_file)


def remove(warehouse: Warehouse, path: str) -> None:
    """Remove a file, if it exists."""
    with contextlib.suppress(MissingFile), describe_os_errors("remove", path):
        if warehouse.is_local:
            remove_leftovers(Path(path).parent)
        warehouse.filesystem.delete_file(path)


def files_under(warehouse: Warehouse, directory: str) -> list[str]:
    """All files in a folder and its subfolders, sorted, without hidden (temporary) ones; [] if there is no folder."""
    with describe_os_errors("list", directory):
        if warehouse.is_local:
            return sorted(_local_files(directory))
        infos = warehouse.filesystem.get_file_info(fs.FileSelector(directory, recursive=True, allow_not_found=True))
    return sorted(info.path for info in infos if info.is_file and not info.base_name.startswith("."))


def _local_files(folder: str) -> Iterator[str]:
    # Arrow queries every name; scandir tells files from folders in less than half the time.
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _local_files(f"{folder}/{entry.name}")
            elif entry.is_file() and not entry.name.startswith("."):
                yield f"{folder}/{entry.name}"


def check_warehouse_writable(warehouse: Warehouse) -> None:
    """Write and remove a small file, so that a run fails before its work instead of after it."""
    path = probe_path(warehouse)
    try:
        with describe_os_errors("write to the warehouse at", warehouse.base):
            if warehouse.is_local:
                Path(warehouse.base).mkdir(parents=True, exist_ok=True)
                remove_leftovers(Path(warehouse.base))
            with warehouse.filesystem.open_output_stream(path) as file:
                file.write(b"gait2hip")
    finally:
        with contextlib.suppress(WarehouseError):
            remove(warehouse, path)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders that killed writers left in a folder."""
    for temporary in temporary_files(folder):
        if not _is_abandoned(temporary):
            continue
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            # A file that can't be removed (another user's, say) does no harm.
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A new temporary folder, removed afterwards; after a kill, `remove_leftovers` removes it."""
    folder = temporary_path(Path(tempfile.gettempdir()) / name)
    with describe_os_errors("make a temporary folder at", str(folder)):
        folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def flush(path: Path) -> None:
    """Make a file's content, or the names in a folder, survive a power cut."""
    # Outside POSIX a folder can't be opened, and a file must be open for writing to be synchronised.
    if os.name != "posix" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _begun(warehouse: Warehouse, path: str, data: bytes) -> Iterator[Callable[[], None]]:
    """Prepare a write that changes nothing yet; yields the function that completes it. Without it no trace is left."""
    if not warehouse.is_local:
        yield lambda: _upload(warehouse, path, data)
        return
    with contextlib.ExitStack() as stack:
        with describe_os_errors("write", path):
            finish = stack.enter_context(_staged(Path(path), data))
        yield finish


def _upload(warehouse: Warehouse, path: str, data: bytes) -> None:
    # One upload: the object appears, whole, when the stream is closed.
    with warehouse.filesystem.open_output_stream(path) as file:
        file.write(data)


@contextlib.contextmanager
def _staged(target: Path, data: bytes) -> Iterator[Callable[[], None]]:
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target.parent)
    temporary = temporary_path(target)

    def finish() -> None:
        temporary.replace(target)
        flush(target.parent)

    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield finish
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _is_abandoned(temporary: Path) -> bool:
    process = owner_process(temporary)
    # Outside POSIX a process can't be queried without side effects: only the file's age decides there.
    if process is not None and os.name == "posix":
        return not _is_running(process)
    try:
        return time.time() - temporary.stat().st_mtime > _ABANDONED_AFTER_S
    except FileNotFoundError:
        return False


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_ended(process)


def _is_ended(process: int) -> bool:
    """Whether a process has ended but was not yet reaped by its parent. Only Linux can tell; False elsewhere."""
    try:
        status = Path(f"/proc/{process}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return False
    # The state follows the program's name, which may hold any character.
    return status.rpartition(")")[2].split()[:1] == ["Z"]
