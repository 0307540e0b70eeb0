"""What a network is trained on: standardised inputs and targets, whole in memory or read batch by batch.

N cycles, P points of each, C input channels, K targets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from models.data.cycles import Cycles, Statistics
from models.data.inputs import inputs_of


class Examples(Protocol):
    """Standardised inputs (N, P, C) and targets (N, P, K), wherever they are kept."""

    def __len__(self) -> int:
        """N."""

    @property
    def device(self) -> torch.device:
        """Where batches are used."""

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs and targets of these rows (a tensor on the CPU), on the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesInMemory:
    """Examples that lie whole on the device where they are used: inputs (N, P, C), targets (N, P, K)."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def device(self) -> torch.device:
        """Where both lie."""
        return self.inputs.device

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of both."""
        chosen = rows.to(self.device)
        return self.inputs[chosen], self.targets[chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardisation:
    """How cycles become examples: which inputs, and the training subjects' statistics that scale them.

    `targets` is None where targets are learned as they are, per body mass.
    """

    input_names: tuple[str, ...]
    inputs: Statistics
    targets: Statistics | None

    def examples(self, cycles: Cycles, device: torch.device) -> ExamplesInMemory:
        """The examples of cycles that fit into memory."""
        inputs = self.inputs.standardise(inputs_of(cycles, self.input_names))
        targets = cycles.measured().astype(np.float32)
        if self.targets is not None:
            targets = self.targets.standardise(targets)
        return ExamplesInMemory(
            inputs=torch.from_numpy(inputs).to(device), targets=torch.from_numpy(targets).to(device)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesOnDisk:
    """Examples of cycles that may be larger than memory: read and standardised batch by batch."""

    cycles: Cycles
    standardisation: Standardisation
    device: torch.device

    def __len__(self) -> int:
        return len(self.cycles.subject)

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """These rows' inputs and targets."""
        batch = self.standardisation.examples(self.cycles.read(rows.numpy()), self.device)
        return batch.inputs, batch.targets


def examples_of(cycles: Cycles, standardisation: Standardisation, device: torch.device) -> Examples:
    """The examples of these cycles, on disk where the cycles are. The numbers are the same either way."""
    if cycles.on_disk:
        return ExamplesOnDisk(cycles=cycles, standardisation=standardisation, device=device)
    return standardisation.examples(cycles, device)


def batches_in_order(examples: Examples, batch_cycles: int) -> Iterator[tuple[Tensor, Tensor]]:
    """All examples, batch after batch."""
    return (examples.take(rows) for rows in torch.arange(len(examples)).split(batch_cycles))
