"""The networks, by name."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field
from torch import nn

from models.networks.lstm import Lstm, LstmSettings
from models.networks.mamba import Mamba, MambaSettings
from models.networks.transformer import Transformer, TransformerSettings

NetworkSettings = Annotated[LstmSettings | TransformerSettings | MambaSettings, Field(discriminator="name")]

# Each is built from its settings, the number of input channels and the number of targets.
NETWORKS: dict[str, Callable[..., nn.Module]] = {"lstm": Lstm, "transformer": Transformer, "mamba": Mamba}


def build(settings: NetworkSettings, inputs: int, targets: int) -> nn.Module:
    """A network (B, T, inputs) -> (B, T, targets) with random weights from torch's global generator: seed it first."""
    return NETWORKS[settings.name](settings, inputs, targets)
