import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.warehouse.conftest import TrialWriter, store_rejected_trial, store_trial_of_kinematics, store_whole_trial
from tests.warehouse.one_file import remove_table, write_row, write_table
from tests.warehouse.release.conftest import Order, trial
from tests.warehouse.samples import MADE, N_SAMPLES, SESSION_ROW, cycles_columns, load_columns, trial_row
from warehouse.channels import ALL_CHANNELS, LOAD_CHANNELS
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse, table_path
from warehouse.release import build
from warehouse.release.build import build_release
from warehouse.release.cycles_file import Sampling
from warehouse.release.publish import Release
from warehouse.release.selection import Selection
from warehouse.release.split import hold_out_named


def _cycles(release: Release) -> pd.DataFrame:
    return pq.read_table(f"{release.root.base}/cycles.parquet").to_pandas()


def _content(release: Release) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(release.root.base).iterdir()}


def test_a_release_holds_every_cycle_with_its_keys(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order())

    cycles = _cycles(release)
    assert release.manifest.n_cycles == 6 * 3
    assert len(cycles) == 6 * 3 * N_SAMPLES
    assert set(zip(cycles.cohort, cycles.subject, strict=True)) == {
        ("adults", "S01"), ("adults", "S02"), ("adults", "S03"), ("children", "S01"), ("children", "K02"),
    }  # fmt: skip
    assert (cycles.height_m == SESSION_ROW["height_m"]).all()
    assert (cycles.mass_kg == 67.0).all()
    stored = read.cycles_as_right(filled).to_pandas()
    for name in ALL_CHANNELS:
        np.testing.assert_allclose(cycles[name], stored[name], rtol=1e-6)


def test_the_same_warehouse_and_order_give_the_same_bytes(
    filled: Warehouse, order: Order, tmp_path: Path, store_trial: TrialWriter
) -> None:
    asked = order(split=functools.partial(hold_out_named, named=("S02",)), licence="CC-BY-4.0")
    first = build_release(filled, asked)
    before = _content(first)

    again = build_release(filled, asked)

    assert again == first
    assert _content(again) == before
    files = {"audit.json", "cycles.parquet", "recipe.json", "release.json", "split.json", "stats.json"}
    assert set(before) == {"README.md", *files}
    copy = tmp_path / "copy"
    Path(filled.base).rename(copy)
    elsewhere = build_release(Warehouse(str(copy)), asked)
    assert _content(elsewhere) == before


def test_other_content_has_another_name(filled: Warehouse, order: Order) -> None:
    folders = {
        build_release(filled, order()).root.base,
        build_release(filled, order(name="second")).root.base,
        build_release(filled, order(licence="CC0")).root.base,
        build_release(filled, order(sampling=Sampling(sides="right", points=None))).root.base,
        build_release(filled, order(split=functools.partial(hold_out_named, named=("S02",)))).root.base,
    }

    assert len(folders) == 5


def test_right_cycles_alone(filled: Warehouse, order: Order) -> None:
    cycles = _cycles(build_release(filled, order(sampling=Sampling(sides="right", points=None))))

    assert set(cycles.side) == {"right"}
    assert len(cycles) == 6 * 2 * N_SAMPLES


def test_the_split_and_the_statistics_are_of_training_subjects(filled: Warehouse, order: Order) -> None:
    release = build_release(filled, order(split=functools.partial(hold_out_named, named=("S02", "children/S01"))))

    split = json.loads(release.read("split.json"))
    assert split["test"] == ["adults/S02", "children/S01"]
    assert split["train"] == ["adults/S01", "adults/S03", "children/K02"]
    cycles = _cycles(release)
    training = cycles[~((cycles.cohort + "/" + cycles.subject).isin(split["test"]))]
    statistics = json.loads(release.read("stats.json"))
    found = statistics["hip_flexion_r"]
    assert found["n"] == len(training) == 4 * 3 * N_SAMPLES
    assert found["mean"] == pytest.approx(training.hip_flexion_r.astype(float).mean(), rel=1e-9)
    assert found["sd"] == pytest.approx(training.hip_flexion_r.astype(float).std(ddof=0), rel=1e-9)


def test_what_was_made_in_two_ways_is_refused_unless_narrowed(
    filled: Warehouse, order: Order, store_trial: TrialWriter
) -> None:
    key = trial("adults", "S04")
    store_trial(key)
    write_table(filled, "cycles", key, cycles_columns(), provenance_key="1" * 32, recipe="mine")
    write_row(filled, "trials", key, trial_row(), provenance_key="1" * 32, recipe="mine")

    with pytest.raises(ValueError, match=r"recipe=gait2hip60(.|\n)*recipe=mine(.|\n)*gait2hip ingest"):
        build_release(filled, order())

    narrowed = build_release(filled, order(selection=Selection(recipes=("gait2hip60",))))
    assert narrowed.manifest.n_trials == 6


def test_cycles_under_another_run_s_row_are_refused(filled: Warehouse, order: Order) -> None:
    key = trial("adults", "S02", "walk_slow")
    write_table(filled, "cycles", key, cycles_columns(), provenance_key="9" * 32, recipe="gait2hip60")

    with pytest.raises(WarehouseError, match="not made by the run"):
        build_release(filled, order())

    assert not list(Path(filled.base, "releases").iterdir())


def test_a_trial_whose_session_is_lost_is_named(filled: Warehouse, order: Order) -> None:
    key = trial("children", "K02")
    Path(table_path(filled, "sessions", "session", key)).unlink()

    with pytest.raises(WarehouseError, match=r"children/K02/day1/walk: its session has no row"):
        build_release(filled, order())


def test_a_rejected_trial_whose_motion_was_kept_gives_nothing(warehouse: Warehouse, order: Order) -> None:
    """Even cycles that an interrupted writer left under it are not released."""
    key = trial("adults", "S01")
    store_whole_trial(warehouse, key)
    store_rejected_trial(warehouse, key)

    with pytest.raises(ValueError, match=r"no gait cycle .* 1 trials were looked at, 0 of them accepted"):
        build_release(warehouse, order())


def test_kinematics_only_are_never_released(filled: Warehouse, order: Order) -> None:
    """Not even with cycles that an interrupted writer left under them."""
    before = build_release(filled, order()).manifest
    key = trial("adults", "S03")
    store_whole_trial(filled, key)
    store_trial_of_kinematics(filled, key)
    after = build_release(filled, order()).manifest

    assert (after.n_trials, after.n_cycles) == (before.n_trials, before.n_cycles)
    assert str(key) not in {source.trial for source in after.sources}


def test_nothing_to_release_is_said(warehouse: Warehouse, order: Order) -> None:
    row = trial_row(outcome="rejected", stage="quality", reason="too far", n_cycles_right=0, n_cycles_left=0)
    key = trial("adults", "S01")
    write_row(warehouse, "sessions", key, SESSION_ROW, **MADE)
    write_row(warehouse, "trials", key, row, **MADE)

    with pytest.raises(ValueError, match=r"no gait cycle .* 1 trials were looked at, 0 of them accepted"):
        build_release(warehouse, order())


def test_a_name_that_is_no_folder_is_refused(order: Order) -> None:
    with pytest.raises(ValueError, match=r"the release's name '\.\./x' can't be used in a path"):
        order(name="../x")


def test_cycles_without_a_target_are_kept_and_counted(filled: Warehouse, order: Order) -> None:
    key = trial("adults", "S02", "walk_slow")
    columns = cycles_columns()
    columns["force_tfl"] = np.where(np.arange(len(columns["force_tfl"])) == 0, np.nan, columns["force_tfl"])
    write_table(filled, "cycles", key, columns, **MADE)

    manifest = build_release(filled, order()).manifest

    assert (manifest.n_cycles, manifest.n_complete) == (18, 17)
    assert manifest.targets == ("forces", "moments")


def test_a_release_says_which_kinds_of_targets_it_has(filled: Warehouse, order: Order) -> None:
    for found in read.trials(filled):
        columns = cycles_columns(condition=str(found.summary["condition"]))
        columns |= {name: np.full_like(values, np.nan) for name, values in columns.items() if "moment_" in name}
        write_table(filled, "cycles", read.trial_key(found), columns, **MADE)

    manifest = build_release(filled, order()).manifest

    assert manifest.targets == ("forces",)
    assert manifest.n_complete == 18


def test_contact_forces_are_released_behind_what_a_release_without_them_holds(
    filled: Warehouse, order: Order, request: pytest.FixtureRequest
) -> None:
    without = build_release(filled, order())
    release = build_release(request.getfixturevalue("with_loads"), order())

    assert without.manifest.targets == ("forces", "moments")
    assert release.manifest.targets == ("forces", "moments", "loads")
    assert release.manifest.n_complete == 18
    before, after = _cycles(without), _cycles(release)
    assert [*before.columns, *LOAD_CHANNELS] == [*after.columns]
    pd.testing.assert_frame_equal(after[before.columns], before)
    for name, values in load_columns(3 * N_SAMPLES).items():
        np.testing.assert_allclose(after[name], np.tile(values, 6), rtol=1e-6, atol=1e-6)
    known = [json.loads(one.read("stats.json")).keys() for one in (without, release)]
    assert known[1] - known[0] == set(LOAD_CHANNELS)
    cards = [one.read("README.md").decode() for one in (without, release)]
    assert ["contact force of the hip (3 components" in card for card in cards] == [False, True]
    assert ["| `load_hip` | float | N/kg |" in card for card in cards] == [False, True]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (trial("adults", "S02", "walk_slow"), r"adults/S02/day1/walk_slow and 1 more\); run it again"),
        (trial("adults", "S01", "new"), r"adults/S01/day1/new and 0 more\); run it again"),
    ],
)
def test_a_warehouse_that_changes_meanwhile_gives_no_release(
    filled: Warehouse, order: Order, monkeypatch: pytest.MonkeyPatch, changed: TrialKey, told: str
) -> None:
    """A trial that is replaced is absent for a moment: a release must not lack it, or hold its older cycles, unsaid."""
    real = build.render_card

    def meanwhile(*arguments: object) -> str:
        write_row(filled, "trials", changed, trial_row(), provenance_key="7" * 32, recipe="gait2hip60")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(build, "render_card", meanwhile)

    with pytest.raises(WarehouseError, match=rf"the warehouse changed while the release was cut \({told}"):
        build_release(filled, order(selection=Selection(cohorts=("adults",))))

    assert not list(Path(filled.base, "releases").iterdir())
    assert build_release(filled, order(selection=Selection(cohorts=("children",)))).manifest.n_trials == 2


def test_a_subject_rejected_at_scaling_blocks_nobody_and_is_named(filled: Warehouse, order: Order) -> None:
    whole = build_release(filled, order())
    row = {"outcome": "rejected", "stage": "scaling", "reason": "static.c3d: no pelvis", "condition": "slow"}
    nobody = trial("adults", "S09", "walk_slow")
    write_row(filled, "trials", nobody, trial_row(**row, n_cycles_right=0, n_cycles_left=0), **MADE)

    released = build_release(filled, order())

    assert released.manifest.n_subjects == whole.manifest.n_subjects
    card = released.read("README.md").decode()
    assert "Subjects without a cycle here: 1 (adults/S09)." in card
    assert "static.c3d: no pelvis" in card


def test_an_accepted_trial_without_its_session_is_refused(filled: Warehouse, order: Order) -> None:
    remove_table(filled, "sessions", trial("adults", "S02"))

    with pytest.raises(WarehouseError, match="adults/S02/day1/walk_slow: its session has no row"):
        build_release(filled, order())


def test_a_session_of_another_body_than_its_trials_is_refused(filled: Warehouse, order: Order) -> None:
    key = trial("adults", "S02", "walk_slow")
    facts = {"mass_kg": SESSION_ROW["mass_kg"], "height_m": SESSION_ROW["height_m"]}
    made_from = {"stages": {"scaling": {"key": "0", "facts": facts}}}
    write_row(filled, "trials", key, trial_row(condition="slow"), **{**MADE, "made_from": made_from})
    only = order(selection=Selection(subjects=("S02",)))
    assert build_release(filled, only).manifest.n_subjects == 1

    write_row(filled, "sessions", key, {**SESSION_ROW, "height_m": 1.51}, **MADE)

    with pytest.raises(
        ValueError, match=r"session adults/S02/day1 and its trial walk_slow are not of one person.*1\.51"
    ):
        build_release(filled, only)
