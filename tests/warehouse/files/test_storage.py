import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from warehouse import layout
from warehouse.errors import MissingFile, WarehouseError
from warehouse.files import storage
from warehouse.layout import Warehouse, temporary_path

REPOSITORY = Path(__file__).parents[3]


def path_in(warehouse: Warehouse, name: str) -> str:
    return f"{warehouse.base}/folder/{name}"


def names_in(warehouse: Warehouse) -> list[str]:
    return sorted(path.name for path in Path(warehouse.base).rglob("*") if path.is_file())


def test_bytes_come_back_as_they_went_in(warehouse: Warehouse) -> None:
    path = path_in(warehouse, "a.bin")
    storage.write_bytes(warehouse, path, b"old")
    storage.write_bytes(warehouse, path, b"new\x00")
    assert storage.read_bytes(warehouse, path) == b"new\x00"
    assert names_in(warehouse) == ["a.bin"]


def test_a_missing_file_says_so(warehouse: Warehouse) -> None:
    with pytest.raises(MissingFile, match=r"a\.bin: it does not exist"):
        storage.read_bytes(warehouse, path_in(warehouse, "a.bin"))


def test_removing_what_is_not_there_is_no_error(warehouse: Warehouse) -> None:
    storage.write_bytes(warehouse, path_in(warehouse, "a.bin"), b"x")
    for _ in range(2):
        storage.remove(warehouse, path_in(warehouse, "a.bin"))
    assert names_in(warehouse) == []


def test_listing_passes_over_what_is_being_written(warehouse: Warehouse) -> None:
    path = path_in(warehouse, "a.bin")
    storage.write_bytes(warehouse, path, b"x")
    temporary_path(Path(path)).write_bytes(b"half")
    assert storage.files_under(warehouse, warehouse.base) == [path]
    assert storage.files_under(warehouse, f"{warehouse.base}/nowhere") == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EACCES, "permission denied. Choose a warehouse you may write to"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_failed_write_leaves_the_old_file_and_no_rubbish(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, call: str, code: int, advice: str
) -> None:
    path = path_in(warehouse, "a.bin")
    storage.write_bytes(warehouse, path, b"old")

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), fail)
    with pytest.raises(WarehouseError, match=advice) as caught:
        storage.write_bytes(warehouse, path, b"new")
    assert path in str(caught.value)
    monkeypatch.undo()
    assert storage.read_bytes(warehouse, path) == b"old"
    assert names_in(warehouse) == ["a.bin"]


def test_an_interrupted_write_leaves_no_rubbish(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        storage.write_bytes(warehouse, path_in(warehouse, "a.bin"), b"new")
    assert names_in(warehouse) == []


def test_a_file_in_the_way_of_a_folder_is_named(warehouse: Warehouse) -> None:
    Path(warehouse.base).mkdir()
    (Path(warehouse.base) / "folder").write_bytes(b"")
    with pytest.raises(WarehouseError, match="a file stands where a folder is needed"):
        storage.write_bytes(warehouse, path_in(warehouse, "a.bin"), b"x")
    with pytest.raises(WarehouseError, match="a file stands where a folder is needed"):
        storage.check_warehouse_writable(Warehouse(f"{warehouse.base}/folder"))


def test_a_folder_in_the_way_of_a_file_is_named(warehouse: Warehouse) -> None:
    Path(path_in(warehouse, "a.bin")).mkdir(parents=True)
    with pytest.raises(WarehouseError, match="a folder stands where a file is needed"):
        storage.write_bytes(warehouse, path_in(warehouse, "a.bin"), b"x")
    assert names_in(warehouse) == []


@pytest.mark.skipif(os.name != "posix", reason="needs folder permissions")
def test_a_folder_one_may_not_write_to_is_refused() -> None:
    # Permissions don't bind the superuser, who becomes nobody. pytest's own folders are closed to others.
    code = (
        "import os, sys; from warehouse.layout import Warehouse\n"
        "from warehouse.files.storage import check_warehouse_writable\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "check_warehouse_writable(Warehouse(sys.argv[1]))"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, cwd=REPOSITORY)
        assert f"WarehouseError: can't write to the warehouse at {folder}: permission denied" in done.stderr
        assert list(Path(folder).iterdir()) == []
        Path(folder).chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_failed_probe_leaves_no_rubbish(warehouse: Warehouse) -> None:
    Path(warehouse.base).mkdir()
    limit = (
        "import resource, signal, sys; from warehouse.layout import Warehouse\n"
        "from warehouse.files.storage import check_warehouse_writable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))\n"
        "check_warehouse_writable(Warehouse(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", limit, warehouse.base], capture_output=True, text=True, cwd=REPOSITORY)
    assert "WarehouseError: can't write to the warehouse at" in done.stderr
    assert names_in(warehouse) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody may write to")
def test_a_file_system_that_takes_no_files_is_refused() -> None:
    with pytest.raises(WarehouseError, match="can't write to the warehouse at /proc/nowhere"):
        storage.check_warehouse_writable(Warehouse("/proc/nowhere"))


def test_a_writable_warehouse_is_left_empty(warehouse: Warehouse) -> None:
    storage.check_warehouse_writable(warehouse)
    assert names_in(warehouse) == []


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="only Linux tells a dead process nobody asked after")
def test_a_writer_is_dead_before_its_starter_has_asked_after_it(warehouse: Warehouse) -> None:
    mine = temporary_path(Path(warehouse.base) / "file.parquet")
    mine.parent.mkdir(parents=True, exist_ok=True)
    killed = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    leftover = mine.with_name(mine.name.replace(f"-{os.getpid()}.", f"-{killed.pid}."))
    leftover.write_bytes(b"half")
    storage.remove_leftovers(mine.parent)
    assert leftover.is_file()

    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    storage.remove_leftovers(mine.parent)
    assert not leftover.exists()
    killed.wait()


def test_a_dead_writers_leftover_is_removed_and_nobody_elses_file_is(warehouse: Warehouse) -> None:
    target = Path(path_in(warehouse, "a.bin"))
    target.parent.mkdir(parents=True)
    mine = temporary_path(target)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftover = mine.with_name(mine.name.replace(f"-{os.getpid()}.", f"-{dead.pid}."))
    old = target.parent / ".a.bin.elsewhere-1.00000000.part"
    neighbours = target.parent / ".b.bin.elsewhere-1.00000000.part"
    recent = target.parent / ".a.bin.elsewhere-2.00000000.part"
    foreign = target.parent / ".film.mkv.part"
    for path in (mine, leftover, old, neighbours, recent, foreign):
        path.write_bytes(b"half")
    # However long a living writer of this machine takes, it is not disturbed.
    for path in (mine, old, neighbours, foreign):
        os.utime(path, (time.time() - 25 * 3600,) * 2)
    storage.write_bytes(warehouse, str(target), b"whole")
    assert names_in(warehouse) == sorted([mine.name, recent.name, foreign.name, "a.bin"])


def write_forever(root: str, path: str, seed: int) -> None:
    warehouse, n = Warehouse(root), 0
    while True:
        n += 1
        storage.write_bytes(warehouse, path, bytes([seed]) * (200_000 + 1000 * (n % 7)))


def start_writer(warehouse: Warehouse, path: str, seed: int) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("spawn").Process(
        target=write_forever, args=(warehouse.root, path, seed), daemon=True
    )
    process.start()
    return process


def wait_for(path: str) -> None:
    deadline = time.monotonic() + 30
    while not Path(path).exists():
        assert time.monotonic() < deadline, "the writer did not start"
        time.sleep(0.01)


def assert_whole(data: bytes) -> None:
    assert len(data) >= 200_000
    assert len(set(data)) == 1


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_writers_never_leave_a_partial_file(warehouse: Warehouse) -> None:
    path = path_in(warehouse, "a.bin")
    for seed in range(1, 9):
        process = start_writer(warehouse, path, seed)
        wait_for(path)
        for _ in range(20):
            assert_whole(storage.read_bytes(warehouse, path))
        time.sleep(0.003 * seed)
        process.kill()
        process.join()
        assert_whole(storage.read_bytes(warehouse, path))
    storage.write_bytes(warehouse, path, b"the end")
    assert names_in(warehouse) == ["a.bin"]


def test_two_writers_of_one_file_take_turns(warehouse: Warehouse) -> None:
    path = path_in(warehouse, "a.bin")
    writers = [start_writer(warehouse, path, seed) for seed in (1, 2)]
    try:
        wait_for(path)
        seen: list[int] = []
        deadline = time.monotonic() + 30
        while len(set(seen)) < 2 or len(seen) < 300:
            data = storage.read_bytes(warehouse, path)
            assert_whole(data)
            seen.append(data[0])
            assert time.monotonic() < deadline, f"only writers {set(seen)} ever wrote"
            assert all(writer.is_alive() for writer in writers)
    finally:
        for writer in writers:
            writer.kill()
            writer.join()


def test_a_voucher_is_gone_from_the_disk_before_anything_else_changes(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A removal that isn't flushed is undone by a power cut: the old voucher would stand over new files."""
    rows, cycles, old = (tmp_path / name / "file" for name in ("rows", "cycles", "old"))
    for path in (rows, cycles, old):
        storage.write_bytes(warehouse, str(path), b"before")
    seen: list[tuple[bool, bytes, bool]] = []
    real = storage.flush

    def flush(path: Path) -> None:
        if path == rows.parent:
            seen.append((rows.exists(), cycles.read_bytes(), old.exists()))
        real(path)

    monkeypatch.setattr(storage, "flush", flush)

    new = {str(cycles): b"after", str(rows): b"after"}
    storage.write_bytes_together(warehouse, new, voucher=str(rows), obsolete=[str(old)])

    assert seen == [(False, b"before", True), (True, b"after", False)]


# A writer on a machine of this name, where process ids mean something else.
WRITE_OFTEN = """
import sys
from warehouse import layout
from warehouse.files import storage
root, host = sys.argv[1:]
layout._place = lambda: host
for number in range(60):
    storage.write_bytes(layout.Warehouse(root), f"{root}/folder/{host}-{number % 3}.bin", host.encode())
"""


def test_writers_whose_process_ids_mean_nothing_to_each_other_leave_each_other_alone(warehouse: Warehouse) -> None:
    # Temporary files of one host name processes that don't exist on the other, or are somebody else's.
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE_OFTEN, warehouse.root, host], stderr=subprocess.PIPE, text=True)
        for host in ("one", "other")
    ]
    assert [writer.communicate()[1] for writer in writers] == ["", ""]

    assert names_in(warehouse) == sorted(f"{host}-{number}.bin" for host in ("one", "other") for number in range(3))


def test_another_hosts_file_is_kept_though_its_process_id_is_nobodys_here(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Path(path_in(warehouse, "a.bin"))
    target.parent.mkdir(parents=True)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    monkeypatch.setattr(os, "getpid", lambda: dead.pid)
    ours = temporary_path(target)
    monkeypatch.setattr(layout, "_place", lambda: "container2")
    theirs = temporary_path(target)
    for path in (ours, theirs):
        path.write_bytes(b"half")

    storage.remove_leftovers(target.parent)

    # Seen from the container, the first is another host's.
    assert ours.is_file()
    assert not theirs.exists()
