"""Kernels on disk: found again, never stale, damage noticed, and nothing fatal about a cache that can't be used.

Each program runs in a process of its own, on a copy of the mechanics that has two small kernels in two files.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pipeline
from pipeline.mechanics import kernel_cache
from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.kernel_cache import KernelCache, kernel_folders

PIPELINE = Path(pipeline.__file__).parent
COPIED = ("__init__", "mechanics/__init__", "mechanics/compiled", "mechanics/kernel_cache", "mechanics/preload")
SAYS_SO = "compiling the mechanics for this machine, once"

INNER = """
from pipeline.mechanics.compiled import kernel
@kernel
def inner(x): return 10.0 * x
"""
OUTER = """
from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.inner import inner
@kernel
def outer(x): return inner(x) + 1.0
"""
ENTRIES = """
from pipeline.mechanics.outer import outer
COMPILING_S = 1
ENTRIES = (lambda: outer(1.0),)
"""
# How many kernels were compiled, and an answer.
READY = """
from pipeline.mechanics.warm_up import ready
from pipeline.mechanics.kernel_cache import n_compiled
from pipeline.mechanics.outer import outer
ready()
ready()
print(n_compiled(), outer(2.0))
"""
COMPILED, FOUND = "2 21.0\n", "0 21.0\n"


def start(package: Path, cache: Path, program: str = READY, **environment: str) -> "subprocess.Popen[str]":
    settings = {**os.environ, "PYTHONPATH": str(package), "NUMBA_CACHE_DIR": str(cache), **environment}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=package,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(package: Path, cache: Path, program: str = READY, **environment: str) -> tuple[str, str]:
    """What a program printed, and what it said on standard error."""
    process = start(package, cache, program, **environment)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out, err


def copy_mechanics(package: Path) -> Path:
    (package / "pipeline" / "mechanics").mkdir(parents=True)
    for name in (*COPIED, "mechanics/warm_up", "user_cache"):
        shutil.copy(PIPELINE / f"{name}.py", package / "pipeline" / f"{name}.py")
    for name, source in (("inner", INNER), ("outer", OUTER), ("entries", ENTRIES)):
        (package / "pipeline" / "mechanics" / f"{name}.py").write_text(source)
    return package


@pytest.fixture(scope="module")
def package() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield copy_mechanics(Path(folder))


@pytest.fixture(scope="module")
def warm(package: Path) -> Iterator[Path]:
    """A cache that a first process has filled: copied by those who damage it."""
    with tempfile.TemporaryDirectory() as folder:
        assert run(package, Path(folder))[0] == COMPILED
        yield Path(folder)


def kernels(cache: Path) -> list[Path]:
    return sorted(cache.glob("mechanics-*/*.kernel"))


def test_the_next_process_finds_what_one_has_compiled_and_says_nothing(package: Path, warm: Path) -> None:
    # A fork server imports no more than `preload`, and its workers find the rest done.
    program = (
        "import pipeline.mechanics.preload; from pipeline.mechanics import warm_up; assert warm_up._is_ready\n" + READY
    )

    assert len(kernels(warm)) == 2
    assert run(package, warm, program) == (FOUND, "")


def test_a_change_in_another_file_is_seen(warm: Path, tmp_path: Path) -> None:
    package = copy_mechanics(tmp_path / "package")
    cache = shutil.copytree(warm, tmp_path / "cache")
    (package / "pipeline" / "mechanics" / "inner.py").write_text(INNER.replace("10.0", "20.0"))

    out, err = run(package, cache)

    assert out == "2 41.0\n" and SAYS_SO in err
    assert len(kernels(cache)) == 4


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def exchange(file: Path) -> None:
    """Whole, with a hash that agrees, but no kernel."""
    body = b"no pickle at all"
    file.write_bytes(hashlib.sha256(body).digest() + body)


def block(file: Path) -> None:
    """Can be neither read nor replaced."""
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [cut, empty, flip, block])
def test_damage_is_noticed(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    file, content = tmp_path / "a.kernel", b"compiled code" * 1000
    kernel_cache._write_whole(file, hashlib.sha256(content).digest() + content)
    assert kernel_cache._intact(file) == content

    damage(file)

    assert kernel_cache._intact(file) is None


def test_what_is_damaged_is_compiled_again(package: Path, warm: Path, tmp_path: Path) -> None:
    cache = shutil.copytree(warm, tmp_path / "cache")
    for file, damage in zip(kernels(cache), (flip, exchange), strict=True):
        damage(file)

    out, err = run(package, cache)

    assert out == COMPILED and err.count(SAYS_SO) == 1
    assert all(kernel_cache._intact(file) for file in kernels(cache))


def test_of_two_that_start_at_once_one_compiles(package: Path, tmp_path: Path) -> None:
    both = [start(package, tmp_path) for _ in range(2)]

    said = [process.communicate(timeout=120) for process in both]

    assert sorted(out for out, _ in said) == [FOUND, COMPILED]
    assert "".join(err for _, err in said).count(SAYS_SO) == 1


def test_one_that_is_killed_while_it_compiles_frees_the_others(package: Path, tmp_path: Path) -> None:
    program = (
        "import time; from pipeline.mechanics import warm_up; "
        "warm_up._announce = lambda: (print('compiling', flush=True), time.sleep(600))\nwarm_up.ready()"
    )
    killed = start(package, tmp_path, program)
    assert killed.stdout is not None and killed.stdout.readline() == "compiling\n"
    waiting = start(package, tmp_path)
    time.sleep(0.5)
    killed.send_signal(signal.SIGKILL)

    out, err = waiting.communicate(timeout=60)

    assert out == COMPILED and SAYS_SO in err
    killed.communicate()


def test_a_cache_that_cannot_be_written_is_told_once_and_replaced(package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    cache, temporary = tmp_path / "file" / "cache", str(tmp_path / "temporary")

    out, err = run(package, cache, TMPDIR=temporary)

    assert out == COMPILED and err.count("can't be kept") == 1 and "NUMBA_CACHE_DIR" in err
    assert len(err.splitlines()) == 2
    assert run(package, cache, TMPDIR=temporary) == (FOUND, "")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows gives every user temporary files of his own")
def test_nothing_is_loaded_from_a_folder_that_others_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "_TEMPORARY", tmp_path)
    folder = kernel_cache._private_temporary_folder()
    assert folder is not None and folder.parent == tmp_path

    folder.chmod(0o777)
    assert kernel_cache._private_temporary_folder() is None
    folder.rmdir()
    folder.touch()
    assert kernel_cache._private_temporary_folder() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_full_disk_costs_the_cache_only(package: Path, tmp_path: Path) -> None:
    program = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n{READY}"

    out, err = run(package, tmp_path / "cache", program, TMPDIR=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")

    assert out == COMPILED and err.count("can't be kept") == 1
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".part", ".kernel")]


def test_what_nobody_has_used_for_long_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, old, young = (tmp_path / f"mechanics-{name}" for name in ("ours", "old", "young"))
    half, fresh = ours / ".half.part", ours / ".fresh.part"
    for folder in (ours, old, young):
        folder.mkdir()
    for path, age_days in ((half, 1), (fresh, 0), (old / "a.kernel", 40), (old, 40), (young, 20)):
        path.touch()
        os.utime(path, (time.time() - 86400 * age_days,) * 2)
    monkeypatch.setattr(kernel_cache, "kernel_folders", lambda: (ours,))

    kernel_cache._sweep()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["mechanics-ours", "mechanics-young"]
    assert list(ours.iterdir()) == [fresh]


@pytest.fixture
def folder_of(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    def ask(**environment: str) -> Path:
        for name in ("NUMBA_CACHE_DIR", "GAIT2HIP_CACHE", "NUMBA_OPT"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        kernel_folders.cache_clear()
        return kernel_folders()[0]

    yield ask
    monkeypatch.undo()
    kernel_folders.cache_clear()


def test_the_user_says_where(folder_of, tmp_path: Path) -> None:
    assert folder_of(GAIT2HIP_CACHE=str(tmp_path)).parent == tmp_path
    assert folder_of(GAIT2HIP_CACHE="/elsewhere", NUMBA_CACHE_DIR=str(tmp_path)).parent == tmp_path


def test_settings_that_change_the_code_have_a_folder_of_their_own(folder_of, tmp_path: Path) -> None:
    names = {folder_of(NUMBA_CACHE_DIR=str(tmp_path), **opt).name for opt in ({}, {"NUMBA_OPT": "0"}, {})}

    assert len(names) == 2


def test_only_the_mechanics_own_kernels_are_kept() -> None:
    from pipeline.mechanics.bodies.poses import follow_couplings

    def outside(x):
        return x

    assert isinstance(follow_couplings._cache, KernelCache)  # type: ignore[attr-defined]
    assert not isinstance(kernel(outside)._cache, KernelCache)  # type: ignore[attr-defined]
