"""The stacked Mamba of Gait2Hip-60 (arXiv 2605.30374, table 2): residual blocks, a norm, a linear head.

B sequences, T time steps, C input channels, K targets, E = d_model, D = expand * E inner channels,
N = d_state states a channel, R = E / 16 rounded up, the rank of the step's projection (Gu & Dao 2023, §3.6).
Parameter names are the published checkpoints', which are `mamba_ssm`'s.
"""

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from models.networks.dropout import Dropout
from models.networks.selective_scan import selective_scan
from warehouse.settings_file import Checked

# The range in which a channel's time step starts (Gu & Dao 2023, §3.6), in units of one sample.
_FIRST_STEPS = (1e-3, 1e-1)


class MambaSettings(Checked):
    """The published size, unless a recipe says otherwise."""

    name: Literal["mamba"] = "mamba"
    d_model: Annotated[int, Field(ge=1, le=4096)] = 128
    d_state: Annotated[int, Field(ge=1, le=4096)] = 16
    d_conv: Annotated[int, Field(ge=1, le=4096)] = 4
    expand: Annotated[int, Field(ge=1, le=4096)] = 2
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    bidirectional: bool = False  # a second stack of blocks reads the cycle backwards


class Mamba(nn.Module):
    """(B, T, C) -> (B, T, K)."""

    def __init__(self, settings: MambaSettings, inputs: int, targets: int) -> None:
        super().__init__()
        self.input_proj = nn.Linear(inputs, settings.d_model)
        self.blocks = nn.ModuleList(MambaBlock(settings) for _ in range(settings.layers))
        backward_layers = settings.layers if settings.bidirectional else 0
        self.backward_blocks = nn.ModuleList(MambaBlock(settings) for _ in range(backward_layers))
        self.drop = Dropout(settings.dropout)
        self.norm = nn.LayerNorm(settings.d_model)
        self.output_proj = nn.Linear(settings.d_model, targets)

    def forward(self, x_BTC: torch.Tensor) -> torch.Tensor:
        """Targets at every time step; the published network sees only the past of each."""
        x_BTE = self.input_proj(x_BTC)
        for layer, block in enumerate(self.blocks):
            read_BTE = self.drop(block(x_BTE))
            if self.backward_blocks:
                read_BTE = read_BTE + self.drop(self.backward_blocks[layer](x_BTE.flip(1)).flip(1))
            x_BTE = x_BTE + read_BTE
        return self.output_proj(self.norm(x_BTE))


class MambaBlock(nn.Module):
    """Projection, short causal convolution, selective scan, gate, projection (Gu & Dao 2023, figure 3)."""

    def __init__(self, settings: MambaSettings) -> None:
        super().__init__()
        inner, rank = settings.expand * settings.d_model, math.ceil(settings.d_model / 16)
        self.sizes_of_x_proj = [rank, settings.d_state, settings.d_state]
        self.in_proj = nn.Linear(settings.d_model, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, settings.d_conv, groups=inner, padding=settings.d_conv - 1)
        self.x_proj = nn.Linear(inner, sum(self.sizes_of_x_proj), bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, settings.d_state + 1)).repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, settings.d_model, bias=False)
        _start_steps(self.dt_proj)

    def forward(self, x_BTE: torch.Tensor) -> torch.Tensor:
        """(B, T, E) -> (B, T, E)."""
        x_BTD, gate_BTD = self.in_proj(x_BTE).chunk(2, dim=-1)
        # The convolution is padded on both sides: outputs after the last step are dropped, so that it is causal.
        x_BTD = functional.silu(self.conv1d(x_BTD.transpose(1, 2))[..., : x_BTE.shape[1]].transpose(1, 2))
        step_BTR, b_BTN, c_BTN = self.x_proj(x_BTD).split(self.sizes_of_x_proj, dim=-1)
        step_BTD = functional.softplus(self.dt_proj(step_BTR))
        y_BTD = selective_scan(x_BTD, step_BTD, -torch.exp(self.A_log), b_BTN, c_BTN) + self.D * x_BTD
        return self.out_proj(y_BTD * functional.silu(gate_BTD))


def _start_steps(dt_proj: nn.Linear) -> None:
    """Time steps start log-uniform in `_FIRST_STEPS`: the bias is softplus's inverse of them."""
    bound = dt_proj.in_features**-0.5
    nn.init.uniform_(dt_proj.weight, -bound, bound)
    low, high = (math.log(step) for step in _FIRST_STEPS)
    step_D = torch.exp(torch.rand(dt_proj.out_features) * (high - low) + low)
    with torch.no_grad():
        dt_proj.bias.copy_(step_D + torch.log(-torch.expm1(-step_D)))
