"""Warehouse, release and readers on an object store: S3 as moto's server speaks it, started here."""

import functools
import os
from collections.abc import Iterator

import numpy as np
import pytest

from tests.warehouse.conftest import store_whole_trial
from tests.warehouse.samples import nothing_suspicious
from warehouse.errors import MissingFile
from warehouse.files import read, storage
from warehouse.holdings.status import warehouse_status
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse, file_path
from warehouse.release.arrays import load
from warehouse.release.build import ReleaseOrder, build_release
from warehouse.release.cycles_file import Sampling
from warehouse.release.publish import open_release, verify_release
from warehouse.release.selection import Selection
from warehouse.release.split import hold_out_named

ORDER = ReleaseOrder(
    name="first",
    selection=Selection(),
    sampling=Sampling(sides="both", points=None),
    split=functools.partial(hold_out_named, named=("002",)),
    audit=nothing_suspicious,
    licence=None,
)


def _keys() -> list[TrialKey]:
    return [TrialKey(cohort="adults", subject=subject, session="day1", trial="walk") for subject in ("001", "002")]


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    moto = pytest.importorskip("moto.server", reason="needs the extra `test` (moto[server])")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
    before = {name: os.environ.get(name) for name in keys}
    os.environ.update(keys)
    yield f"endpoint_override={host}:{port}&scheme=http&allow_bucket_creation=true&region=us-east-1"
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
    server.stop()


@pytest.fixture(scope="module")
def remote(bucket: str) -> Warehouse:
    Warehouse(f"s3://laboratory?{bucket}").filesystem.create_dir("laboratory")
    warehouse = Warehouse(f"s3://laboratory/gait/warehouse?{bucket}")
    for key in _keys():
        store_whole_trial(warehouse, key)
    return warehouse


def test_what_is_stored_there_is_what_is_stored_here(remote: Warehouse, warehouse: Warehouse) -> None:
    for key in _keys():
        store_whole_trial(warehouse, key)

    assert len(warehouse_status(remote).accepted) == 2
    assert warehouse_status(remote).missing == ()
    there, here = (read.cycles(store, columns=["subject", "phase", "force_tfl"]) for store in (remote, warehouse))
    assert there.equals(here)
    assert read.cycles(remote, subjects=["002"], columns=["subject"]).column(0).unique().to_pylist() == ["002"]


def test_a_release_there_is_byte_for_byte_the_one_here(remote: Warehouse, warehouse: Warehouse) -> None:
    for key in _keys():
        store_whole_trial(warehouse, key)

    there, here = build_release(remote, ORDER), build_release(warehouse, ORDER)

    assert there.manifest == here.manifest
    verify_release(there)
    for name in ("README.md", "cycles.parquet", "release.json"):
        contents = [storage.read_bytes(r.root, file_path(r.root, name)) for r in (there, here)]
        assert contents[0] == contents[1]
    arrays = load(there.root.root)
    np.testing.assert_array_equal(arrays.forces_n_kg, load(here.root.root).forces_n_kg)
    assert set(arrays.subject[arrays.test]) == {"adults/002"}


def test_a_release_without_its_manifest_is_none(remote: Warehouse) -> None:
    release = build_release(remote, ORDER)
    storage.remove(release.root, file_path(release.root, "release.json"))

    with pytest.raises(MissingFile, match=r"no release at s3://laboratory/gait/warehouse/releases/first-"):
        open_release(release.root.root)

    # Cut again, it is whole again.
    verify_release(build_release(remote, ORDER))
