"""Epochs a second, ours beside the published training loop: `python -m benchmarks.training [--cycles N] [--rounds N]`.

The loop of Gait2Hip-60 (arXiv 2605.30374; ygsiete7/Gait2Hip-60, `muscle_force_prediction/*_MF60.py`) is restated
here: one Python object a cycle, a DataLoader that stacks them, PyTorch's own layers, batches sent to the device one
by one. Its Mamba needs a GPU; on a CPU the pure-PyTorch scan of `mambapy` stands in for `mamba_ssm`'s.

Both train the same number of made-up cycles (180 points, ten inputs, 14 targets), in turn, and the fastest epoch of
each counts. Processor time is what a busy machine leaves comparable; on a GPU look at the wall clock.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from models.networks.by_name import build
from models.networks.device import device_named
from models.training.examples import ExamplesInMemory
from models.training.network_training import NetworkTraining
from models.training.recipe import OptimizerSettings, TrainingRecipe, load_training_recipe
from models.training.training_loop import NO_CALLBACKS

N_POINTS, N_INPUTS, N_TARGETS = 180, 10, 14
MODELS = ("lstm", "transformer", "mamba")


@dataclass(frozen=True)
class Speed:
    """The fastest of several epochs."""

    processor_s: float
    wall_s: float


class PublishedLstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(N_INPUTS, 128, 2, batch_first=True, dropout=0.1)
        self.fc = nn.Linear(128, N_TARGETS)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(x)[0])


class PublishedTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.input_proj = nn.Linear(N_INPUTS, 128)
        self.positions = nn.Embedding(500, 128)
        layer = nn.TransformerEncoderLayer(128, 4, 256, 0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.output_proj = nn.Linear(128, N_TARGETS)

    def forward(self, x: Tensor) -> Tensor:
        position = torch.arange(x.shape[1], device=x.device).expand(x.shape[:2])
        return self.output_proj(self.encoder(self.input_proj(x) + self.positions(position)))


class OneByOne(Dataset):
    def __init__(self, examples: ExamplesInMemory) -> None:
        self.inputs, self.targets = examples.inputs.cpu(), examples.targets.cpu()

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.inputs[index], self.targets[index]


def published_epochs(network: nn.Module, train: ExamplesInMemory, settings: OptimizerSettings) -> Iterator[None]:
    device = train.inputs.device
    loader = DataLoader(OneByOne(train), batch_size=settings.batch_cycles, shuffle=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    loss = nn.MSELoss()
    while True:
        network.train()
        for inputs, targets in loader:
            optimizer.zero_grad(set_to_none=True)
            loss(network(inputs.to(device)), targets.to(device)).backward()
            nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_clip)
            optimizer.step()
        yield


def mambapy_scan(x: Tensor, step: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    from mambapy.pscan import pscan

    decay = torch.exp(step.unsqueeze(-1) * a)
    states = pscan(decay, (step * x).unsqueeze(-1) * b.unsqueeze(2))
    return (states @ c.unsqueeze(-1)).squeeze(-1)


def ours(model: str, train: ExamplesInMemory, precision: str) -> Iterator[None]:
    published = load_training_recipe("gait2hip60")
    optimizer = published.optimizer.model_copy(update={"precision": precision})
    network = build(published.model(model), N_INPUTS, N_TARGETS).to(train.inputs.device)
    return our_epochs(network, train, published.model_copy(update={"optimizer": optimizer}))


def our_epochs(network: nn.Module, train: ExamplesInMemory, recipe: TrainingRecipe) -> Iterator[None]:
    training = NetworkTraining(network, train, recipe)
    while True:
        training.end_epoch(training.run_epoch(NO_CALLBACKS.between_batches), None)
        yield


def theirs(model: str, train: ExamplesInMemory) -> Iterator[None]:
    recipe = load_training_recipe("gait2hip60")
    networks: dict[str, Callable[[], nn.Module]] = {
        "lstm": PublishedLstm,
        "transformer": PublishedTransformer,
        "mamba": lambda: build(recipe.model("mamba"), N_INPUTS, N_TARGETS),
    }
    return published_epochs(networks[model]().to(train.inputs.device), train, recipe.optimizer)


def compare(model: str, train: ExamplesInMemory, rounds: int, precision: str) -> tuple[Speed, Speed]:
    """Ours and theirs, in turn."""
    runs = ours(model, train, precision), theirs(model, train)
    stand_in = train.inputs.device.type == "cpu" and model == "mamba"
    scans: tuple[Any, Any] = (
        nullcontext(),
        patch("models.networks.mamba.selective_scan", mambapy_scan) if stand_in else nullcontext(),
    )
    found: tuple[list[Speed], list[Speed]] = ([], [])
    for _ in range(rounds + 1):
        for run, scan, speeds in zip(runs, scans, found, strict=True):
            with scan:
                speeds.append(_timed(run, train.inputs.device))
    # The first epoch pays for what is made once.
    return tuple(  # type: ignore[return-value]
        Speed(min(one.processor_s for one in speeds[1:]), min(one.wall_s for one in speeds[1:])) for speeds in found
    )


def made_up(n_cycles: int, device: torch.device) -> ExamplesInMemory:
    random = torch.Generator().manual_seed(0)
    return ExamplesInMemory(
        inputs=torch.randn(n_cycles, N_POINTS, N_INPUTS, generator=random).to(device),
        targets=torch.randn(n_cycles, N_POINTS, N_TARGETS, generator=random).to(device),
    )


def _timed(run: Iterator[None], device: torch.device) -> Speed:
    started = time.process_time(), time.perf_counter()
    next(run)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return Speed(time.process_time() - started[0], time.perf_counter() - started[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="single", choices=("single", "bfloat16"), help="ours; theirs is single")
    parser.add_argument("--model", action="append", choices=MODELS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train = made_up(options.cycles, device_named(options.device))
    print(f"{options.cycles} cycles an epoch, {options.threads} threads, {options.device}, ours {options.precision}:")
    print("seconds an epoch")
    print(f"{'':<13}{'processor time':>26}{'wall clock':>26}")
    print(f"{'model':<13}" + 2 * f"{'published':>11}{'ours':>8}{'ratio':>7}")
    for model in options.model or MODELS:
        we, they = compare(model, train, options.rounds, options.precision)
        print(
            f"{model:<13}{they.processor_s:>11.2f}{we.processor_s:>8.2f}{they.processor_s / we.processor_s:>7.1f}"
            f"{they.wall_s:>11.2f}{we.wall_s:>8.2f}{they.wall_s / we.wall_s:>7.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
