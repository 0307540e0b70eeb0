"""Bytes in, bytes out: files appear whole or not at all; a failure is a WarehouseError that names its path.

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

# No writer takes this long over one file: another machine's older temporary file is a leftover.
_ABANDONED_AFTER_S = 3600.0

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
    """Turns the operating system's errors into one that says what to do."""
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
    """A whole file's content, a local file's mapped into memory: it is read where it is looked at. MissingFile."""
    with describe_os_errors("read", path):
        if warehouse.is_local:
            with pa.memory_map(path) as file:
                return file.read_buffer()
        with warehouse.filesystem.open_input_file(path) as file:
            return file.read_buffer()


def write_bytes(warehouse: Warehouse, path: str, data: bytes) -> None:
    """Stores a file whole, replacing an older one in one step; a WarehouseError leaves the older one."""
    with _begun(warehouse, path, data) as finish, describe_os_errors("write", path):
        finish()


def replace_file(target: Path, data: bytes) -> None:
    """`write_bytes` for a file that is in no warehouse: a page, a report."""
    with describe_os_errors("write", str(target)), _staged(target, data) as finish:
        finish()


def write_bytes_together(
    warehouse: Warehouse, files: Mapping[str, bytes], *, voucher: str, obsolete: Sequence[str] = ()
) -> None:
    """Stores files that belong together and removes what they make `obsolete`; `voucher` is one of the files.

    On a local disk all are written before the first takes its name: a disk that fills up changes nothing. Then the
    voucher is taken away before the others change, and comes back last: who reads meanwhile, or after a kill, finds it
    with all that it vouches for, or doesn't find it.
    """
    with contextlib.ExitStack() as stack:
        finish = {path: stack.enter_context(_begun(warehouse, path, content)) for path, content in files.items()}
        remove(warehouse, voucher)
        if warehouse.is_local:
            # Without this a power cut can bring the old voucher back over new files.
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
    """Removes a file; one that is not there is no error."""
    with contextlib.suppress(MissingFile), describe_os_errors("remove", path):
        if warehouse.is_local:
            remove_leftovers(Path(path).parent)
        warehouse.filesystem.delete_file(path)


def files_under(warehouse: Warehouse, directory: str) -> list[str]:
    """All files in a folder and its folders, sorted, without hidden (temporary) ones; [] if there is none."""
    with describe_os_errors("list", directory):
        if warehouse.is_local:
            return sorted(_local_files(directory))
        found = warehouse.filesystem.get_file_info(fs.FileSelector(directory, recursive=True, allow_not_found=True))
    return sorted(info.path for info in found if info.is_file and not info.base_name.startswith("."))


def _local_files(folder: str) -> Iterator[str]:
    # Arrow asks the disk about each name; a folder's own entries tell files from folders in less than half the time.
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _local_files(f"{folder}/{entry.name}")
            elif entry.is_file() and not entry.name.startswith("."):
                yield f"{folder}/{entry.name}"


def check_warehouse_writable(warehouse: Warehouse) -> None:
    """Writes and removes one small file, so that a run fails before its work and not after it."""
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
    """Removes what killed writers left in a folder: temporary files and folders that nobody owns now."""
    for temporary in temporary_files(folder):
        if not _is_abandoned(temporary):
            continue
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            # Another user's, say: it is in nobody's way.
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A new folder among the system's temporary ones, removed afterwards; if we are killed, by `remove_leftovers`."""
    folder = temporary_path(Path(tempfile.gettempdir()) / name)
    with describe_os_errors("make a temporary folder at", str(folder)):
        folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def flush(path: Path) -> None:
    """Makes a file's content, or a folder's names, survive a power cut."""
    # Other systems than POSIX can't open a folder to say so, and want a file open for writing.
    if os.name != "posix" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _begun(warehouse: Warehouse, path: str, data: bytes) -> Iterator[Callable[[], None]]:
    """Does of a file's writing what changes nothing yet; gives what finishes it. Unfinished, it leaves no trace."""
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
    # Other systems than POSIX can't ask about a process without touching it: there only age decides.
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
    """Whether a process has ended and its starter has not asked after it yet; only Linux tells, elsewhere False."""
    try:
        account = Path(f"/proc/{process}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return False
    # After the program's name, which may hold anything: its state.
    return account.rpartition(")")[2].split()[:1] == ["Z"]
