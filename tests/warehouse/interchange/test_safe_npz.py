import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from warehouse.interchange.safe_npz import read_npz


class _Shout:
    """What a hostile file would hold: loading it runs a function of the attacker's choice."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.flag,))


def _object_member(content: bytes, shape: str = "(1,)") -> bytes:
    """An .npy member whose header says an array of objects and whose pickle is `content`."""
    header = f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}}}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def _npz(tmp_path: Path, members: dict[str, bytes]) -> Path:
    file = tmp_path / "strange.npz"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_numbers_and_text_are_read_as_numpy_wrote_them(tmp_path: Path) -> None:
    file = tmp_path / "good.npz"
    written = {
        "X": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        "objects": np.array(["slow", "früh", ""], dtype=object),
        "table": np.array([["a", "b"], ["c", "d"]], dtype=object),
        "unicode": np.array(["addbrev_r", "tfl_r"]),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    np.savez(file, **written)

    found = read_npz(file)

    assert set(found) == set(written)
    for name, values in written.items():
        np.testing.assert_array_equal(found[name], values.astype(str) if values.dtype == object else values)
    assert found["objects"].dtype.kind == "U"


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_every_protocol_of_pickle_is_read(tmp_path: Path, protocol: int) -> None:
    content = pickle.dumps(np.array(["H01", "H02"], dtype=object), protocol=protocol)

    found = read_npz(_npz(tmp_path, {"subject_id.npy": _object_member(content, "(2,)")}))

    assert list(found["subject_id"]) == ["H01", "H02"]


def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    flag = tmp_path / "ran"
    hostile = np.empty(1, dtype=object)
    hostile[0] = _Shout(flag)
    file = tmp_path / "hostile.npz"
    np.savez(file, speed_label=hostile)

    with pytest.raises(ValueError, match=r"hostile\.npz, array 'speed_label': refused, nothing in it was run: .*touch"):
        read_npz(file)

    assert not flag.exists()
    with np.load(file, allow_pickle=True) as trusting:
        _ = trusting["speed_label"]
    assert flag.exists()


@pytest.mark.parametrize("order", ["<", ">"])
def test_numpy_s_own_text_in_an_array_of_objects_is_text(tmp_path: Path, order: str) -> None:
    objects = np.empty(2, dtype=object)
    objects[:] = [np.array(["slow"], dtype=f"{order}U4")[0], np.str_("früh")]
    file = tmp_path / "text.npz"
    np.savez(file, speed_label=objects)

    assert list(read_npz(file)["speed_label"]) == ["slow", "früh"]


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\nfromfile\n(S'/etc/passwd'\ntR.",
        b"\x80\x04\x8c\x05numpy\x8c\x15ndarray.__reduce_ex__\x93.",
        b"Pstranger\n.",
        b"\x80\x02\x82\x01.",
        b"garbage",
        b"",
    ],
    ids=["system", "eval", "load", "fromfile", "dotted", "persistent", "extension", "garbage", "empty"],
)
def test_no_other_name_is_answered(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"array 'x': refused, nothing in it was run"):
        read_npz(_npz(tmp_path, {"x.npy": _object_member(content)}))


@pytest.mark.parametrize(
    "items",
    [[1, 2], [None, "a"], [["a"], ["b"]], [b"\xff", "a"]],
    ids=["numbers", "none", "lists", "no text"],
)
def test_objects_that_are_not_text_are_refused(tmp_path: Path, items: list[object]) -> None:
    objects = np.empty(2, dtype=object)
    objects[:] = items
    file = tmp_path / "odd.npz"
    np.savez(file, x=objects)

    with pytest.raises(ValueError, match=r"array 'x': an array of objects that are not text"):
        read_npz(file)


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    np.savez(good, X=np.arange(1000.0))
    cut = tmp_path / "cut.npz"
    cut.write_bytes(good.read_bytes()[:900])
    member = io.BytesIO()
    np.save(member, np.arange(4.0))

    with pytest.raises(ValueError, match=r"cut\.npz: not a whole NPZ file"):
        read_npz(cut)
    with pytest.raises(ValueError, match=r"absent\.npz: can't be read \(No such file"):
        read_npz(tmp_path / "absent.npz")
    with pytest.raises(ValueError, match=r"holds 'readme\.txt', expected only \.npy arrays"):
        read_npz(_npz(tmp_path, {"readme.txt": b"hello"}))
    with pytest.raises(ValueError, match=r"array 'X': no readable array header"):
        read_npz(_npz(tmp_path, {"X.npy": b"not an array"}))
    with pytest.raises(ValueError, match=r"array 'X': 24 bytes, its shape \(4,\) needs 32"):
        read_npz(_npz(tmp_path, {"X.npy": member.getvalue()[:-8]}))


def test_a_header_that_asks_for_the_whole_memory_is_refused(tmp_path: Path) -> None:
    huge = _object_member(b"", "(1000000, 1000000)").replace(b"|O", b"<f8").replace(b" \n", b"\n", 1)
    header_length = len(huge) - 10
    huge = huge[:8] + struct.pack("<H", header_length) + huge[10:]

    with pytest.raises(ValueError, match=r"array 'X': 0 bytes, its shape \(1000000, 1000000\) needs 8000000000000"):
        read_npz(_npz(tmp_path, {"X.npy": huge}))


def test_whatever_is_damaged_ends_in_one_kind_of_error(tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    np.savez(good, ids=np.array(["H01", "H02"], dtype=object), mass_kg=np.array([60.0, 70.0]))
    with zipfile.ZipFile(good) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rng = np.random.default_rng(8)
    refused = 0
    for _ in range(200):
        name = rng.choice(list(members))
        spoilt = bytearray(members[name])
        for at in rng.integers(len(spoilt), size=3):
            spoilt[at] = rng.integers(256)
        try:
            read_npz(_npz(tmp_path, {**members, name: bytes(spoilt)}))
        except ValueError:
            refused += 1

    assert refused > 150
