"""Examples read from disk are those in memory: the same batches in the same order give the same weights."""

from pathlib import Path

import numpy as np
import pytest

from models.data.released_cycles import cycles_bytes
from models.predicting.trained_run import TrainedRun, read_run
from models.training.examples import ExamplesOnDisk
from models.training.train import TrainRequest, prepare_training, train
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
    return made_release(tmp_path_factory.mktemp("release"))


def _trained(release: str, out: Path, memory_mb: int, protocol: str = "gait2hip60") -> TrainedRun:
    recipe = out.with_suffix(".toml")
    recipe.write_text(RECIPE)
    request = TrainRequest(
        release=release,
        model="lstm",
        task="both",
        protocol=protocol,
        recipe=str(recipe),
        device="cpu",
        memory_mb=memory_mb,
    )
    train(prepare_training(request, out), lambda: False, lambda _number, _progress: None)
    assert not out.with_name(f"{out.name}.unfinished").exists()
    return read_run(out)


@pytest.mark.parametrize("protocol", ["gait2hip60", "holdout"])
def test_examples_on_disk_change_no_number(
    protocol: str, release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    original = ExamplesOnDisk.take

    def counted(source: ExamplesOnDisk, rows: object) -> object:
        sizes.append(len(rows))  # type: ignore[arg-type]
        return original(source, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(ExamplesOnDisk, "take", counted)
    in_memory = _trained(release, tmp_path / "in-memory", memory_mb=100, protocol=protocol)
    assert sizes == []
    from_disk = _trained(release, tmp_path / "from-disk", memory_mb=0, protocol=protocol)

    assert set(sizes) == {1, 2} or set(sizes) == {2}
    assert from_disk.config == in_memory.config
    assert from_disk.report == in_memory.report
    assert all(weight.equal(from_disk.weights[name]) for name, weight in in_memory.weights.items())


def test_only_what_is_too_large_stays_on_disk(release: str, tmp_path: Path) -> None:
    words = {"release": release, "model": "lstm", "task": "forces", "protocol": "holdout", "recipe": "quick"}
    here, there = (
        prepare_training(TrainRequest(**words, device="cpu", memory_mb=memory_mb), tmp_path / "run").released.cycles
        for memory_mb in (1, 0)
    )

    assert cycles_bytes(release, "forces") == 4 * len(here.subject) * N_SAMPLES * 24 < 2**20
    assert not here.on_disk
    assert there.on_disk
    np.testing.assert_array_equal(here.angles_deg, there.angles_deg)
    np.testing.assert_array_equal(here.measured(), there.measured())
