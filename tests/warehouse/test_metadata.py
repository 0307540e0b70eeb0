import pytest

from warehouse.errors import WarehouseError
from warehouse.metadata import Stored, from_metadata, to_metadata

STORED = Stored(
    table="trials",
    identity={"cohort": "a", "subject": "001", "session": "v", "trial": "t"},
    key="ab" * 16,
    recipe="gait2hip60",
    made_from={"recipe": {"quality": {"max_marker_rms_m": 0.02}}},
    summary={"outcome": "rejected", "reason": "größer als 40 mm", "n_cycles_left": 0},
)


def raw(**changes: str | None) -> dict[bytes, bytes]:
    entries = {name: value for name, value in to_metadata(STORED).items()}
    entries |= {f"gait2hip.{name}": value for name, value in changes.items() if value is not None}
    kept = {n: v for n, v in entries.items() if changes.get(n.removeprefix("gait2hip."), "") is not None}
    return {name.encode(): value.encode() for name, value in kept.items()}


def test_it_comes_back_as_it_went_in() -> None:
    assert from_metadata("f", raw()) == STORED


def test_others_entries_are_none_of_ours() -> None:
    assert from_metadata("f", raw() | {b"ARROW:schema": b"\xff\xfe"}) == STORED


@pytest.mark.parametrize("foreign", [None, {}, {b"pandas": b"{}"}])
def test_a_foreign_file_is_refused_by_name(foreign: dict[bytes, bytes] | None) -> None:
    with pytest.raises(WarehouseError, match=r"a/b\.parquet was not written by gait2hip"):
        from_metadata("a/b.parquet", foreign)


@pytest.mark.parametrize("version", ["0", "2", "x"])
def test_another_format_is_refused_by_name(version: str) -> None:
    with pytest.raises(WarehouseError, match=f"f has format version {version}; this gait2hip reads 1"):
        from_metadata("f", raw(format=version))


def test_damage_is_refused_by_name() -> None:
    with pytest.raises(WarehouseError, match="f has damaged metadata"):
        from_metadata("f", raw(identity="{"))
    with pytest.raises(WarehouseError, match=r"f has damaged metadata.*gait2hip\.key"):
        from_metadata("f", raw(key=None))
    with pytest.raises(WarehouseError, match="table 'emg', which does not exist"):
        from_metadata("f", raw(table="emg"))
