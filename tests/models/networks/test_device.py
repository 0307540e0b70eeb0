"""Networks run where they were asked to, or it is said that they can't."""

import pytest
import torch

from models.networks.device import device_named


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_asked_for_in_vain() -> None:
    assert device_named("auto") == torch.device("cpu")
    with pytest.raises(ValueError, match="no CUDA device"):
        device_named("cuda")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ValueError, match="expected auto, cpu or cuda"):
        device_named("tpu")
