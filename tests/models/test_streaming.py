"""A release that is larger than memory may be: the same batches in the same order, the same weights."""

from pathlib import Path

import numpy as np
import pytest

from models import jobs
from models.jobs import Attendance, TrainJob, prepare, train
from models.learning.learn import Streamed
from models.predicting.run import Run, read_run
from tests.models.made_release import made_release
from tests.warehouse.samples import N_SAMPLES

RECIPE = """
inputs = ["angles", "velocities"]
standardise_targets = true
mirrored_left = true
seed = 1
[optimizer]
learning_rate = 1e-2
weight_decay = 1e-5
batch_cycles = 2
gradient_clip = 0.5
average_decay = 0.9
precision = "single"
[schedule]
shape = "cosine"
warm_up_epochs = 1
final_share = 0.1
[stopping]
max_epochs = 3
patience_epochs = 2
min_improvement = 0
[folds]
count = 2
[lstm]
hidden = 6
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made_release(tmp_path_factory.mktemp("streaming"))


def _trained(release: str, out: Path, memory_mb: int, protocol: str = "gait2hip60") -> Run:
    recipe = out.with_suffix(".toml")
    recipe.write_text(RECIPE)
    job = TrainJob(
        release=release,
        model="lstm",
        task="both",
        protocol=protocol,
        recipe=str(recipe),
        device="cpu",
        memory_mb=memory_mb,
    )
    train(prepare(job, out), Attendance(stop=lambda: False, listener=lambda _number, _facts: None))
    assert not out.with_name(f"{out.name}.unfinished").exists()
    return read_run(out)


@pytest.mark.parametrize("protocol", ["gait2hip60", "holdout"])
def test_streaming_changes_no_number(
    protocol: str, release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    original = Streamed.take

    def watched(source: Streamed, rows: object) -> object:
        sizes.append(len(rows))  # type: ignore[arg-type]
        return original(source, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(Streamed, "take", watched)
    in_memory = _trained(release, tmp_path / "in-memory", memory_mb=100, protocol=protocol)
    assert sizes == []
    streamed = _trained(release, tmp_path / "streamed", memory_mb=0, protocol=protocol)

    assert set(sizes) == {1, 2} or set(sizes) == {2}
    assert streamed.config == in_memory.config
    assert streamed.report == in_memory.report
    assert all(weight.equal(streamed.weights[name]) for name, weight in in_memory.weights.items())


def test_only_what_is_too_large_stays_on_disk(release: str, tmp_path: Path) -> None:
    words = {"release": release, "model": "lstm", "task": "forces", "protocol": "holdout", "recipe": "quick"}
    here, there = (
        prepare(TrainJob(**words, device="cpu", memory_mb=memory_mb), tmp_path / "run").released.cycles
        for memory_mb in (1, 0)
    )

    assert jobs.cycles_bytes(release, "forces") == 4 * len(here.subject) * N_SAMPLES * 24 < 2**20
    assert not here.on_disk
    assert there.on_disk
    np.testing.assert_array_equal(here.angles_deg, there.angles_deg)
    np.testing.assert_array_equal(here.measured(), there.measured())
