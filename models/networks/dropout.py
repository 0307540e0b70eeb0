"""Dropout (Srivastava et al. 2014) that draws its noise cheaply on a CPU.

PyTorch draws one random number an element there, a third of a Transformer's training time. Here one 64-bit number
serves four elements. The rate is rounded to a multiple of 1/65536, and kept elements are scaled to match.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = 1 << 16


class Dropout(nn.Module):
    """Sets a share `rate` of elements to zero in training and scales up the rest; changes nothing in prediction."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        if not self.training or self.rate == 0:
            return x
        if x.device.type != "cpu":
            return functional.dropout(x, self.rate)
        return x * kept(x.shape, self.rate).to(x.dtype).mul_(scale(self.rate))


def kept(shape: torch.Size, rate: float) -> Tensor:
    """Which elements are kept, as ones and zeros (uint8, on the CPU), drawn from torch's global generator."""
    n_elements = shape.numel()
    random = torch.empty(-(-n_elements // 4), dtype=torch.int64).random_(-(1 << 63), None)
    # Four 16-bit integers, from -32768 up, in each of the 64-bit ones.
    noise = random.view(torch.int16)[:n_elements].view(shape)
    # Not booleans: converting those to numbers takes a CPU eight times as long.
    return torch.ge(noise, round(rate * _LEVELS) - _LEVELS // 2, out=torch.empty(shape, dtype=torch.uint8))


def scale(rate: float) -> float:
    """The factor for kept elements that preserves the mean: one over the share kept."""
    return 1 / (1 - round(rate * _LEVELS) / _LEVELS)
