from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.identity import SessionKey, TrialKey
from warehouse.layout import Warehouse, identity, owner_process, scaled_model_path, table_path, temporary_path
from warehouse.schemas import SCHEMAS

# Names built from the characters that could be confused with a separator, beside any safe name.
names = st.one_of(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,5}", fullmatch=True),
    st.text("a_.-", min_size=1, max_size=6).map(lambda tail: "a" + tail),
    # What can't be a file on Windows is refused as a name.
).filter(lambda name: not name.endswith(".") and name[:3].lower() not in ("con", "nul", "aux", "prn", "com", "lpt"))
keys = st.builds(TrialKey, cohort=names, subject=names, session=names, trial=names)
HOUSE = Warehouse("/data/house")


@given(keys, keys)
def test_two_identities_never_share_a_path(one: TrialKey, other: TrialKey) -> None:
    for schema in SCHEMAS.values():
        same_path = table_path(HOUSE, schema.name, schema.level, one) == table_path(
            HOUSE, schema.name, schema.level, other
        )
        assert same_path == (identity(schema.level, one) == identity(schema.level, other))


@given(keys)
def test_the_tables_of_one_key_never_share_a_path(key: TrialKey) -> None:
    paths = [table_path(HOUSE, schema.name, schema.level, key) for schema in SCHEMAS.values()]
    assert len({*paths, scaled_model_path(HOUSE, key)}) == len(paths) + 1


def test_underscores_do_not_blur_session_and_trial() -> None:
    one = TrialKey(cohort="c", subject="s", session="a__b", trial="c")
    other = TrialKey(cohort="c", subject="s", session="a", trial="b__c")
    assert table_path(HOUSE, "trials", "trial", one) != table_path(HOUSE, "trials", "trial", other)


@given(keys)
def test_every_path_stays_below_the_root(key: TrialKey) -> None:
    path = Path(table_path(HOUSE, "cycles", "trial", key))
    assert path.resolve() == path
    assert path.is_relative_to("/data/house/cycles")


def test_a_trial_table_asked_for_with_a_session_is_refused() -> None:
    with pytest.raises(ValueError, match="kept per trial"):
        table_path(HOUSE, "cycles", "trial", SessionKey(cohort="c", subject="s", session="v"))


def test_a_relative_root_is_where_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Warehouse("house").base == (tmp_path / "house").as_posix()


def test_an_object_store_is_a_root_like_any_other() -> None:
    house = Warehouse("s3://bucket/some/prefix?region=eu-west-1")
    assert not house.is_local
    assert house.base == "bucket/some/prefix"


def test_an_empty_root_is_refused() -> None:
    with pytest.raises(ValueError, match="root is empty"):
        Warehouse(" ")


def test_a_temporary_file_is_hidden_unique_and_knows_its_process(tmp_path: Path) -> None:
    import os

    target = tmp_path / "a.b-1.parquet"
    one, other = temporary_path(target), temporary_path(target)
    assert one != other
    assert one.parent == tmp_path
    assert one.name.startswith(".")
    assert owner_process(one) == os.getpid()
    assert owner_process(tmp_path / ".a.b-1.parquet.elsewhere-12.00.part") is None


@pytest.mark.parametrize(
    "root",
    [
        "s3://key:hidden@bucket/prefix",
        "s3://key:hidden%40bucket/prefix",
        "s3://bucket/prefix?region=eu-west-1&secret_key=hidden",
        "s3://bucket?ACCESS_KEY=hidden",
        "s3://bucket?session%5Ftoken=hidden",
    ],
)
def test_an_address_with_keys_is_refused_and_not_repeated(root: str) -> None:
    with pytest.raises(ValueError, match="AWS_ACCESS_KEY_ID") as error:
        Warehouse(root)
    assert "hidden" not in str(error.value)
