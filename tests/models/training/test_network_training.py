"""An epoch's steps: their sizes by the schedule, and the average of the weights they lead to."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.training.examples import ExamplesInMemory
from models.training.network_training import NetworkTraining
from models.training.training_loop import NO_CALLBACKS
from tests.models.samples import OPTIMIZER, small_recipe


class _Number(nn.Module):
    """Predicts one learned number everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.value.expand(*x.shape[:2], 1)


FAR = ExamplesInMemory(inputs=torch.zeros(4, 3, 2), targets=torch.full((4, 3, 1), 1e6))


def _training(train: ExamplesInMemory = FAR, **changes: Any) -> NetworkTraining:
    optimizer = {**OPTIMIZER, "weight_decay": 0, "batch_cycles": 2, "gradient_clip": 1e9, "learning_rate": 0.1}
    recipe = {"stopping": {"max_epochs": 4, "patience_epochs": 4, "min_improvement": 0}, **changes}
    recipe["optimizer"] = {**optimizer, **changes.get("optimizer", {})}
    return NetworkTraining(_Number(), train, small_recipe(**recipe))


def _values(training: NetworkTraining, epochs: int) -> list[float]:
    """The number after every batch."""
    values: list[float] = []
    for _ in range(epochs):
        training.end_epoch(training.run_epoch(lambda: values.append(_value(training))), None)
    return [*values[1:], _value(training)]


def _value(training: NetworkTraining) -> float:
    (value,) = training.network.parameters()
    return value.item()


def test_steps_follow_the_schedule() -> None:
    # Far from its target Adam's steps have the learning rate's size.
    training = _training(schedule={"shape": "cosine", "warm_up_epochs": 2, "final_share": 0.5})

    values = _values(training, 4)

    steps = [after - before for before, after in zip([0.0, *values], values, strict=False)]
    # Two batches an epoch; half-way down after three epochs; the last step is half of the largest.
    assert steps[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1], rel=1e-3)
    assert steps[5] == pytest.approx(0.075, rel=1e-3)
    assert steps[7] == pytest.approx(0.05, rel=1e-3)


def test_the_average_of_the_weights_is_what_was_taught() -> None:
    training = _training(optimizer={"average_decay": 0.5})

    values = _values(training, 2)

    average = values[0]  # it begins with the weights after the first step
    for value in values[1:]:
        average = 0.5 * average + 0.5 * value
    assert float(training.weights()["value"]) == pytest.approx(average, rel=1e-5)
    assert _value(training) == pytest.approx(values[-1])


def test_without_an_average_the_weights_themselves_were_taught() -> None:
    training = _training()

    assert training.kept_network is training.network
    assert float(training.weights()["value"]) == 0


def test_the_curve_tells_each_epoch_s_mean_loss() -> None:
    near = ExamplesInMemory(inputs=torch.zeros(4, 3, 2), targets=torch.ones(4, 3, 1))
    training = _training(near)

    training.end_epoch(training.run_epoch(NO_CALLBACKS.between_batches), 0.5)

    (point,) = training.curve
    # Before the first step the number is 0, after it 0.1: squared errors 1 and 0.81.
    assert point.train_loss == pytest.approx((1 + 0.81) / 2, rel=1e-3)
    assert (point.epoch, point.validation_loss) == (1, 0.5)


def test_a_loss_without_a_number_ends_the_training() -> None:
    broken = ExamplesInMemory(inputs=torch.zeros(4, 3, 2), targets=torch.full((4, 3, 1), float("nan")))

    with pytest.raises(ValueError, match="the training loss became NaN"):
        _training(broken).run_epoch(NO_CALLBACKS.between_batches)
