"""A model's inputs, by name: the ten angles as published, and what can be added to them.

N cycles, P points of each. Each input makes channels (N, P, ·) from cycles; a value that holds for a whole cycle is
repeated over its points. `condition:slow,med,fast` makes one channel of zeros and ones for each condition it names.
"""

from collections.abc import Callable, Sequence

import numpy as np

from models.data.channels import ANGLE_CHANNELS, Channel
from models.data.cycles import Cycles

PUBLISHED = ("angles",)
_CONDITION = "condition:"

_Input = tuple[tuple[Channel, ...], Callable[[Cycles], np.ndarray]]


def input_channels(names: Sequence[str]) -> tuple[Channel, ...]:
    """The channels of these inputs, in order. ValueError for an unknown or repeated name."""
    inputs = [_input(name) for name in names]
    if len(set(names)) != len(names) or not names:
        raise ValueError(f"inputs {list(names)}: expected one or more of {_KNOWN}, each once")
    return tuple(channel for channels, _ in inputs for channel in channels)


def inputs_of(cycles: Cycles, names: Sequence[str]) -> np.ndarray:
    """(N, P, C) single precision. ValueError where a cycle lacks an input, or has an unknown condition."""
    input_channels(names)
    parts = {name: _input(name)[1](cycles) for name in names}
    for name, values in parts.items():
        lacking = ~np.isfinite(values).all(axis=(1, 2))
        if lacking.any():
            subjects = ", ".join(sorted(set(cycles.subject[lacking].tolist())))
            raise ValueError(f"input {name!r} is unknown for {lacking.sum()} cycles (subjects: {subjects})")
    return np.concatenate(list(parts.values()), axis=2).astype(np.float32)


def _angles(cycles: Cycles) -> np.ndarray:
    return cycles.angles_deg


def _velocities(cycles: Cycles) -> np.ndarray:
    # Samples run from one foot strike to the next, both included.
    step_s = cycles.duration_s[:, None, None] / (cycles.n_points - 1)
    return np.gradient(cycles.angles_deg, axis=1) / step_s


def _repeated(values: np.ndarray, cycles: Cycles) -> np.ndarray:
    return np.repeat(values[:, None, None], cycles.n_points, axis=1)


def _input(name: str) -> _Input:
    if name.startswith(_CONDITION):
        return _conditions(tuple(name.removeprefix(_CONDITION).split(",")))
    if name not in MODEL_INPUTS:
        raise ValueError(f"input {name!r}: expected one or more of {_KNOWN}")
    return MODEL_INPUTS[name]


def _conditions(known: tuple[str, ...]) -> _Input:
    if len(set(known)) != len(known) or not all(known):
        raise ValueError(f"input {_CONDITION}{','.join(known)}: expected names of conditions, each once")

    def one_hot(cycles: Cycles) -> np.ndarray:
        unknown = sorted(set(cycles.condition.tolist()) - set(known))
        if unknown:
            raise ValueError(
                f"the model was asked to tell the conditions {', '.join(known)} apart, and these cycles were walked "
                f"in another: {', '.join(unknown)}. Train with `{_CONDITION}…` that names it, or without."
            )
        flags = cycles.condition[:, None] == np.array(known)
        return np.repeat(flags[:, None, :].astype(np.float32), cycles.n_points, axis=1)

    return tuple(Channel(name=f"condition_{name}", unit="1") for name in known), one_hot


MODEL_INPUTS: dict[str, _Input] = {
    "angles": (ANGLE_CHANNELS, _angles),
    "velocities": (
        tuple(Channel(name=f"{angle.name}_velocity", unit="degree/s") for angle in ANGLE_CHANNELS),
        _velocities,
    ),
    "stride_frequency": (
        (Channel(name="stride_frequency", unit="1/s"),),
        lambda cycles: _repeated(1 / cycles.duration_s, cycles),
    ),
    "stride_duration": (
        (Channel(name="stride_duration", unit="s"),),
        lambda cycles: _repeated(cycles.duration_s, cycles),
    ),
    "height": ((Channel(name="height", unit="m"),), lambda cycles: _repeated(cycles.height_m, cycles)),
    "mass": ((Channel(name="mass", unit="kg"),), lambda cycles: _repeated(cycles.mass_kg, cycles)),
}
_KNOWN = f"{', '.join(MODEL_INPUTS)}, {_CONDITION}NAME,NAME"
