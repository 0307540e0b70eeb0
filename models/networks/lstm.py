"""The long short-term memory network of Gait2Hip-60 (arXiv 2605.30374, table 2): two layers and a linear head.

B sequences, T time steps, C input channels, K targets, H hidden units (2H when it reads both ways).
Parameter names are the published checkpoints'.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from warehouse.settings_file import Checked

# PyTorch's LSTM runs in bfloat16 on any GPU, but only on CPUs with bfloat16 arithmetic.
CPU_TAKES_BFLOAT16 = torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class LstmSettings(Checked):
    """The published size, unless a recipe says otherwise."""

    name: Literal["lstm"] = "lstm"
    hidden: Annotated[int, Field(ge=1, le=4096)] = 128
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    bidirectional: bool = False  # reads the cycle backwards too; the published network does not


class Lstm(nn.Module):
    """(B, T, C) -> (B, T, K)."""

    def __init__(self, settings: LstmSettings, inputs: int, targets: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            inputs,
            settings.hidden,
            settings.layers,
            batch_first=True,
            # Dropout is between layers, so one layer has none.
            dropout=settings.dropout if settings.layers > 1 else 0.0,
            bidirectional=settings.bidirectional,
        )
        self.fc = nn.Linear(settings.hidden * (2 if settings.bidirectional else 1), targets)

    def forward(self, x_BTC: torch.Tensor) -> torch.Tensor:
        """Targets at every time step; the published network sees only the past of each.

        On a CPU without bfloat16 arithmetic the LSTM itself runs in single precision, whatever autocast says.
        """
        if x_BTC.device.type == "cpu" and torch.is_autocast_enabled("cpu") and not CPU_TAKES_BFLOAT16:
            with torch.autocast("cpu", enabled=False):
                hidden_BTH, _ = self.lstm(x_BTC)
        else:
            hidden_BTH, _ = self.lstm(x_BTC)
        return self.fc(hidden_BTH)
