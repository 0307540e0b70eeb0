import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.provenance import canonical_json, file_sha256, stable_hash

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def test_the_hash_is_sha256_of_the_canonical_text() -> None:
    # The text is written out by hand: what is stored today must be recomputed by every later version.
    text = '{"a":1,"b":[true,null,"µ",0.1]}'
    assert canonical_json({"b": (True, None, "µ", 0.1), "a": 1}) == text
    assert stable_hash({"b": [True, None, "µ", 0.1], "a": 1}) == hashlib.sha256(text.encode()).hexdigest()[:32]


@given(st.dictionaries(st.text(max_size=5), plain, max_size=6))
def test_the_order_of_entries_does_not_count(value: dict[str, object]) -> None:
    assert stable_hash(value) == stable_hash(dict(reversed(value.items())))


@given(plain, plain)
def test_different_values_have_different_hashes(one: object, other: object) -> None:
    assert (stable_hash(one) == stable_hash(other)) == (canonical_json(one) == canonical_json(other))


def test_the_order_of_a_list_and_the_kind_of_a_number_count() -> None:
    assert stable_hash([1, 2]) != stable_hash([2, 1])
    assert len({stable_hash(value) for value in (1, 1.0, True, "1", None, [], {})}) == 7


def test_another_process_makes_the_same_hash() -> None:
    code = "from warehouse.provenance import stable_hash; print(stable_hash({'b': {'y', }.pop(), 'a': 0.3}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == stable_hash({"a": 0.3, "b": "y"})


@pytest.mark.parametrize("value", [np.float64(1), Path("x"), {1: "a"}, b"raw", {"a": {2}}, object()])
def test_what_is_not_plain_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="provenance key"):
        stable_hash(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        stable_hash([value])


def test_a_files_hash_is_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    assert file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
