"""The Transformer: torch's own encoder with learned positions."""

import pytest
import torch
from pydantic import ValidationError

from models.networks.transformer import Transformer, TransformerSettings


def test_the_transformer_is_torch_s_encoder_with_the_same_weights() -> None:
    x_BTC = torch.randn(5, 20, 10, generator=torch.Generator().manual_seed(2))
    settings = TransformerSettings(d_model=16, heads=4, feed_forward=32, max_points=40, dropout=0)
    network = Transformer(settings, inputs=10, targets=3)
    layer = torch.nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
    encoder = torch.nn.TransformerEncoder(layer, num_layers=2)
    encoder.load_state_dict(network.encoder.state_dict(), strict=True)

    embedded = network.input_proj(x_BTC) + network.pos_encoder.pos_embed.weight[:20]
    torch.testing.assert_close(network(x_BTC), network.output_proj(encoder(embedded)), atol=1e-5, rtol=1e-5)


def test_layers_of_the_transformer_start_alike() -> None:
    first, second = Transformer(TransformerSettings(), 10, 3).encoder.layers

    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_sequence_longer_than_its_positions_is_refused() -> None:
    network = Transformer(TransformerSettings(d_model=16, heads=2, max_points=10), 10, 3)

    with pytest.raises(ValueError, match=r"11 points.*learned 10 positions"):
        network(torch.zeros(1, 11, 10))


def test_heads_that_can_t_share_the_embedding_are_refused() -> None:
    with pytest.raises(ValidationError, match="multiple"):
        TransformerSettings(d_model=10, heads=4)
