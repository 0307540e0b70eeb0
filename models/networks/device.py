"""Where networks run."""

import torch


def device_named(name: str) -> torch.device:
    """`cpu`, `cuda`, or `auto`: a GPU where there is one. ValueError if the one asked for is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda"):
        raise ValueError(f"device {name!r}: expected auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("no CUDA device was found here, and --device cuda asks for one: use --device auto or cpu")
    return torch.device(name)
