"""C3D files made from nothing, so that tests know every byte of them (C3D File Format User Guide)."""

from typing import Any

import numpy as np

from pipeline.virtual.files.c3d_file import C3DFile, Groups, float32s, int16s

__all__ = ["C3DFile", "Groups", "float32s", "int16s", "merged", "still_points"]


def still_points(frames: int = 10, points: int = 2) -> np.ndarray:
    """Points that stand still at (100, 200, 300), (101, 201, 301), ... and were seen, (T, P, 4)."""
    stored = np.zeros((frames, points, 4))
    stored[..., :3] = np.arange(points)[:, None] + [100.0, 200.0, 300.0]
    return stored


def merged(*groups: Groups) -> dict[str, dict[str, Any]]:
    together: dict[str, dict[str, Any]] = {}
    for group in groups:
        for name, values in group.items():
            together.setdefault(name, {}).update(values)
    return together
