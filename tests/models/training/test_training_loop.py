"""The loop: when it stops, what it keeps, and that one seed gives one result."""

import pytest
import torch
from torch import Tensor, nn

from models.training.examples import ExamplesInMemory
from models.training.train_on_split import train_by_early_stopping
from models.training.training_loop import train_epochs, train_until_best, validation_loss
from tests.models.samples import OPTIMIZER, halves, made_cycles, small_recipe, small_setup


class _Constant(nn.Module):
    """Predicts one learned number everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.value.expand(*x.shape[:2], 1)


def _examples(value: float, n_cycles: int = 4) -> ExamplesInMemory:
    return ExamplesInMemory(inputs=torch.zeros(n_cycles, 3, 2), targets=torch.full((n_cycles, 3, 1), value))


def test_the_best_epoch_s_weights_are_kept_and_patience_ends_it() -> None:
    # Trained towards 1, validated at 0.1: the first epochs improve on 0, and all later ones get worse.
    recipe = small_recipe(
        optimizer={**OPTIMIZER, "learning_rate": 0.02, "weight_decay": 0, "batch_cycles": 4, "gradient_clip": 10},
        stopping={"max_epochs": 100, "patience_epochs": 3, "min_improvement": 0},
    )
    network = _Constant()

    best = train_until_best(network, _examples(1), _examples(0.1), recipe)

    # Adam's steps are the learning rate's size while the gradient keeps its sign: 0.02, 0.04, …
    assert best.epoch == 5
    assert best.weights["value"] == pytest.approx(0.1, abs=0.005)
    assert network.value.item() == pytest.approx(0.16, abs=0.01)
    assert best.loss == pytest.approx((best.weights["value"].item() - 0.1) ** 2, abs=1e-9)


def test_the_most_epochs_end_it() -> None:
    recipe = small_recipe(stopping={"max_epochs": 4, "patience_epochs": 3, "min_improvement": 0})

    assert train_until_best(_Constant(), _examples(1), _examples(1), recipe).epoch == 4


def test_a_short_last_batch_counts_as_a_whole_one() -> None:
    # As published: squared errors 1 (three cycles) and 9 (one cycle) have the mean 5 over batches, 3 over cycles.
    targets = torch.tensor([1.0, 1, 1, 3])[:, None, None].expand(4, 3, 1)

    assert validation_loss(
        _Constant(), ExamplesInMemory(inputs=torch.zeros(4, 3, 2), targets=targets), 3
    ) == pytest.approx(5)


def test_every_cycle_is_seen_once_an_epoch() -> None:
    seen: list[Tensor] = []

    class _Watching(_Constant):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x[:, 0, 0])
            return super().forward(x)

    inputs = torch.arange(10.0)[:, None, None].expand(10, 3, 2)
    train = ExamplesInMemory(inputs=inputs, targets=torch.zeros(10, 3, 1))
    train_epochs(_Watching(), train, 1, small_recipe())

    assert [len(batch) for batch in seen] == [8, 2]
    assert sorted(torch.cat(seen).tolist()) == list(range(10))
    assert torch.cat(seen).tolist() != list(range(10))


def test_large_gradients_are_clipped() -> None:
    network = _Constant()
    clipped = small_recipe(optimizer={**OPTIMIZER, "gradient_clip": 0.25})

    train_epochs(network, _examples(1000), 1, clipped)

    assert network.value.grad is not None
    assert network.value.grad.abs() == pytest.approx(0.25, rel=1e-4)


def test_nan_stops_the_training() -> None:
    with pytest.raises(ValueError, match="became NaN"):
        validation_loss(_Constant(), _examples(float("nan")), 4)


@pytest.mark.parametrize("name", ["lstm", "transformer", "mamba"])
def test_half_the_digits_teach_the_same(name: str) -> None:
    cycles = made_cycles(n_points=16)
    single, half = (
        train_by_early_stopping(
            small_setup(name, optimizer={**OPTIMIZER, "precision": precision}), cycles, halves(cycles)
        )
        for precision in ("single", "bfloat16")
    )

    losses = [run.config.origin["validation_loss"] for run in (single, half)]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert all(weight.dtype == torch.float32 for weight in half.weights.values())
    assert any(not half.weights[key].equal(single.weights[key]) for key in single.weights)
