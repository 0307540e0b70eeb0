"""Mamba: how its time steps start."""

import torch

from models.networks.mamba import Mamba, MambaSettings


def test_mamba_s_time_steps_start_between_a_thousandth_and_a_tenth() -> None:
    torch.manual_seed(0)
    for block in Mamba(MambaSettings(), 10, 3).blocks:
        steps = torch.nn.functional.softplus(block.dt_proj.bias)

        assert steps.min() > 0.99e-3
        assert steps.max() < 0.101
        # Log-uniform: half of them below the geometric mean of both ends.
        assert 0.35 < (steps < 1e-2).float().mean() < 0.65
