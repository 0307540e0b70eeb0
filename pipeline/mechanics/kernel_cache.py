"""Compiled kernels kept on disk: found again by the next process, never used when stale or damaged, never in the way.

numba's own cache doesn't see a change in another file than a kernel's own (numba #1833), and hands whatever bytes it
finds to the linker. Here the folder is named after the content of all of the mechanics' source files, and a file
begins with the hash of the rest: what doesn't agree is compiled again. A cache that can't be written costs time only.
"""

import hashlib
import os
import pickle
import shutil
import stat
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from filelock import FileLock, Timeout
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from pipeline.user_cache import CACHE_VARIABLE, cache_folder

SOURCES = Path(__file__).parent
# Folders of other versions go when nobody has used them for so long, and files half written after an hour.
UNUSED_S = 30 * 24 * 3600.0
HALF_WRITTEN_S = 3600.0
# Compiling takes far less: who holds the lock for so long hangs.
LOCK_TIMEOUT_S = 600.0

_NUMBAS_OWN = "NUMBA_CACHE_DIR"
# What changes compiled code and is in no signature.
_COMPILER_SETTINGS = (
    "NUMBA_BOUNDSCHECK",
    "NUMBA_DEBUGINFO",
    "NUMBA_LOOP_VECTORIZE",
    "NUMBA_OPT",
    "NUMBA_SLP_VECTORIZE",
)
_DIGEST_BYTES = hashlib.sha256().digest_size


def _temporary_folder() -> Path | None:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:  # every disk is full
        return None


# Asked before a worker names its call's own folder, which goes with the call.
_TEMPORARY = _temporary_folder()

_warned: set[str] = set()
_n_compiled = 0


class NotStored(Exception):
    """A kernel that isn't in the cache, where nothing was to be compiled: its name, and its arguments' types."""


def n_compiled() -> int:
    """How many kernels, each with its types, were compiled in this process rather than loaded."""
    return _n_compiled


@cache
def kernel_folders() -> tuple[Path, ...]:
    """Where this version's kernels are kept: the user's cache, then a folder for when that can't be written.

    The parent is $NUMBA_CACHE_DIR where that is set.
    """
    name = f"mechanics-{_version()}"
    parents = [_user_folder(), _private_temporary_folder()]
    return tuple(parent / name for parent in parents if parent is not None)


def storing_folder() -> Path:
    """The folder in the user's cache, made if need be; ValueError if it can't be written."""
    problem = "there is none"
    for folder in kernel_folders()[:1]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            problem = f"{folder.parent}: {error.strerror}"
        else:
            return folder
    raise ValueError(f"the mechanics' cache can't be written ({problem}). Name another folder in {_variable()}.")


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """NotStored from a kernel's call, within, if it would have to be compiled."""

    def refuse(_: Callable[[], Any], kernel: str) -> None:
        raise NotStored(kernel)

    with _when_missing(refuse):
        yield


@contextmanager
def compiled_by_one(announce: Callable[[], None]) -> Iterator[None]:
    """Of several processes that miss kernels, within, one calls `announce` and compiles; the others wait for it.

    The lock ends with its process, however that ends; who waited in vain compiles for itself.
    """
    lock: FileLock | None = None
    is_ours = False

    def take_turns(look: Callable[[], Any], _: str) -> Any:
        nonlocal lock, is_ours
        if is_ours:
            return None
        lock = _locked()
        found = look()
        if found is None:
            is_ours = True
            announce()
            _sweep()
        elif lock is not None:
            lock.release()
        return found

    with _when_missing(take_turns):
        try:
            yield
        finally:
            if lock is not None:
                lock.release()


class KernelCache(_Cache):
    """What numba asks for a kernel's compiled code, and gives it to: a file for a kernel and its arguments' types."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        self._where = f"{function.__module__}.{function.__qualname__}"

    @property
    def cache_path(self) -> str:
        """The folder."""
        return str(next(iter(kernel_folders()), ""))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled kernel, None if it has to be compiled."""
        global _n_compiled
        target_context.refresh()

        def look() -> Any:
            return self._stored(sig, target_context)

        found = look()
        if found is None and _missing:
            found = _missing[-1](look, f"{self._where}{sig}")
        _n_compiled += found is None
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel, where there is room for it."""
        if data.lifted or data.library.has_dynamic_globals:
            return
        content = dumps((sig, data._reduce()))
        name = self._file_name(sig, data.codegen)
        for folder in kernel_folders():
            try:
                _write_whole(folder / name, hashlib.sha256(content).digest() + content)
                return
            except OSError as error:
                warn_once(
                    f"the compiled mechanics can't be kept in {folder.parent} ({error.strerror}) and may have to be "
                    f"compiled again. Free some space, or name another folder in {_variable()}."
                )

    def enable(self) -> None:
        """It always is."""

    def disable(self) -> None:
        """It always is enabled."""

    def flush(self) -> None:
        """Nothing waits to be written."""

    def _file_name(self, sig: Any, codegen: Any) -> str:
        # Its tuple names the processor: one home folder may serve different machines.
        key = repr((self._where, sig, codegen.magic_tuple()))
        return f"{self._name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.kernel"

    def _stored(self, sig: Any, target_context: Any) -> Any:
        name = self._file_name(sig, target_context.codegen())
        for folder in kernel_folders():
            content = _intact(folder / name)
            if content is None:
                continue
            # Nothing that was written whole should fail here; what does is compiled again.
            with suppress(Exception):
                stored_sig, reduced = pickle.loads(content)
                if stored_sig == sig:
                    return CompileResult._rebuild(target_context, *reduced)
        return None


def warn_once(line: str) -> None:
    """A line on standard error, the first time in this process."""
    if not _warned:
        print(f"gait2hip: {line}", file=sys.stderr, flush=True)
    _warned.add(line)


def mark_as_used() -> None:
    """Keep this version's folders from being removed as unused."""
    for folder in kernel_folders():
        with suppress(OSError):
            os.utime(folder)


# What is asked, innermost last, when a kernel is missing: told how to look again and its name, it gives what was found.
_missing: list[Callable[[Callable[[], Any], str], Any]] = []


@contextmanager
def _when_missing(ask: Callable[[Callable[[], Any], str], Any]) -> Iterator[None]:
    _missing.append(ask)
    try:
        yield
    finally:
        _missing.remove(ask)


def _version() -> str:
    """What compiled code follows from, but for the processor, which a file's name tells."""
    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__)
    settings = [os.environ.get(name) for name in _COMPILER_SETTINGS]
    hashed = hashlib.sha256(repr((versions, settings)).encode())
    for source in sorted(SOURCES.rglob("*.py")):
        hashed.update(repr((source.relative_to(SOURCES).as_posix(), source.read_bytes())).encode())
    return hashed.hexdigest()[:16]


def _variable() -> str:
    """What names the cache's parent: numba's own variable, where the user has set it."""
    return _NUMBAS_OWN if os.environ.get(_NUMBAS_OWN) else CACHE_VARIABLE


def _user_folder() -> Path | None:
    named = os.environ.get(_NUMBAS_OWN)
    if named:
        return Path(named).expanduser().absolute()
    try:
        return cache_folder()
    except ValueError as error:
        warn_once(str(error))
        return None


def _private_temporary_folder() -> Path | None:
    """A folder of this user among the temporary files; None if it is somebody else's, or can't be made."""
    if _TEMPORARY is None or not hasattr(os, "getuid"):
        return _TEMPORARY
    folder = _TEMPORARY / f"gait2hip-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        about = folder.lstat()
    except OSError:
        return None
    is_private = stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and not about.st_mode & 0o077
    return folder if is_private else None


def _intact(file: Path) -> bytes | None:
    """What was written to a file; None if it isn't there, can't be read or is no longer what was written."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    body = content[_DIGEST_BYTES:]
    return body if body and hashlib.sha256(body).digest() == content[:_DIGEST_BYTES] else None


def _write_whole(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _locked() -> FileLock | None:
    """The lock of this version's compilation, held; None where there can't be one, or its holder hangs."""
    for folder in kernel_folders():
        lock = FileLock(folder / "compiling.lock", poll_interval=0.05, thread_local=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=LOCK_TIMEOUT_S)
        except Timeout:
            return None
        except (OSError, NotImplementedError):
            continue
        return lock
    return None


def _sweep() -> None:
    """Remove what nobody has used for long: other versions' folders, and files of processes killed in mid-write."""
    now = time.time()
    for folder in kernel_folders():
        for part in folder.glob(".*.part"):
            with suppress(OSError):
                if now - part.stat().st_mtime > HALF_WRITTEN_S:
                    part.unlink()
        for other in folder.parent.glob("mechanics-*"):
            with suppress(OSError):
                if other != folder and now - other.stat().st_mtime > UNUSED_S:
                    shutil.rmtree(other, ignore_errors=True)
