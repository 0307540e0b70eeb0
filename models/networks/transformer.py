"""The Transformer encoder of Gait2Hip-60 (arXiv 2605.30374, table 2): learned positions, post-norm layers.

B sequences, T time steps, C input channels, K targets, E embedding, F feed-forward width,
A attention heads of S = E / A channels each. Parameter names are the published checkpoints'.
"""

import copy
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import nn
from torch.nn import functional

from models.networks.attention import attention
from models.networks.dropout import Dropout
from warehouse.settings_file import Checked


class TransformerSettings(Checked):
    """The published size, unless a recipe says otherwise."""

    name: Literal["transformer"] = "transformer"
    d_model: Annotated[int, Field(ge=1, le=4096)] = 128
    heads: Annotated[int, Field(ge=1, le=4096)] = 4
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    feed_forward: Annotated[int, Field(ge=1, le=4096)] = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    max_points: Annotated[int, Field(ge=1, le=4096)] = 500  # learned positions; longer sequences are refused

    @model_validator(mode="after")
    def _heads_share_the_embedding(self) -> "TransformerSettings":
        if self.d_model % self.heads:
            raise ValueError(f"d_model={self.d_model} can't be shared by heads={self.heads}: it must be a multiple")
        return self


class Transformer(nn.Module):
    """(B, T, C) -> (B, T, K)."""

    def __init__(self, settings: TransformerSettings, inputs: int, targets: int) -> None:
        super().__init__()
        self.input_proj = nn.Linear(inputs, settings.d_model)
        self.pos_encoder = Positions(settings)
        self.encoder = nn.Module()
        # Every layer starts from the same random weights, as the published networks' did
        # (torch's TransformerEncoder copies one layer).
        layer = EncoderLayer(settings)
        self.encoder.layers = nn.ModuleList(copy.deepcopy(layer) for _ in range(settings.layers))
        self.output_proj = nn.Linear(settings.d_model, targets)

    def forward(self, x_BTC: torch.Tensor) -> torch.Tensor:
        """Targets at every time step, each seeing the whole sequence. ValueError if it is too long."""
        x_BTE = self.pos_encoder(self.input_proj(x_BTC))
        for layer in self.encoder.layers:  # type: ignore[union-attr]
            x_BTE = layer(x_BTE)
        return self.output_proj(x_BTE)


class Positions(nn.Module):
    """Adds a learned vector to each time step."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        self.pos_embed = nn.Embedding(settings.max_points, settings.d_model)

    def forward(self, x_BTE: torch.Tensor) -> torch.Tensor:
        """(B, T, E) -> (B, T, E)."""
        points, most = x_BTE.shape[1], self.pos_embed.num_embeddings
        if points > most:
            raise ValueError(f"a sequence has {points} points, and this Transformer learned {most} positions only")
        # A slice, not a look-up: its gradient is one sum over the batch, in a fixed order.
        return x_BTE + self.pos_embed.weight[:points]


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each added to its input and then normalised (post-norm)."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        self.self_attn = SelfAttention(settings)
        self.linear1 = nn.Linear(settings.d_model, settings.feed_forward)
        self.linear2 = nn.Linear(settings.feed_forward, settings.d_model)
        self.norm1 = nn.LayerNorm(settings.d_model)
        self.norm2 = nn.LayerNorm(settings.d_model)
        self.dropout = Dropout(settings.dropout)

    def forward(self, x_BTE: torch.Tensor) -> torch.Tensor:
        """(B, T, E) -> (B, T, E)."""
        x_BTE = self.norm1(x_BTE + self.dropout(self.self_attn(x_BTE)))
        inner_BTF = self.dropout(functional.relu(self.linear1(x_BTE)))
        return self.norm2(x_BTE + self.dropout(self.linear2(inner_BTF)))


class SelfAttention(nn.Module):
    """Every time step attends to every other one."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        self.heads, self.dropout = settings.heads, settings.dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * settings.d_model, settings.d_model))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * settings.d_model))
        self.out_proj = nn.Linear(settings.d_model, settings.d_model)
        # As torch's MultiheadAttention starts.
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x_BTE: torch.Tensor) -> torch.Tensor:
        """(B, T, E) -> (B, T, E)."""
        packed = functional.linear(x_BTE, self.in_proj_weight, self.in_proj_bias)
        query_BATS, key_BATS, value_BATS = packed.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen_BATS = attention(query_BATS, key_BATS, value_BATS, self.dropout if self.training else 0.0)
        return self.out_proj(seen_BATS.transpose(1, 2).flatten(2))
