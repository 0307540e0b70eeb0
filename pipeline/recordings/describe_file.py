"""What is inside a trial's files, in words: `gait2hip inspect`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.c3d.inspect_recording import describe_recording
from pipeline.recordings.ground_forces import (
    LOADED_SHARE,
    GroundForces,
    is_ground_forces,
    read_ground_forces,
    read_opensim_table,
)
from pipeline.recordings.motion_table import read_motion_table
from pipeline.recordings.read_recording import read_recording
from pipeline.records import Coordinates
from pipeline.signals import runs

_TABLES = (".mot", ".sto")


def describe_file(path: Path, forces: Path | None) -> str:
    """A recording (with its ground reactions), a file of ground reactions, or one of joint coordinates, in words.

    TrialRejected if it can't be read; ValueError for forces beside a file that holds no markers.
    """
    is_table = path.suffix.lower() in _TABLES
    if not is_table and path.suffix.lower() != ".xml":
        return describe_recording(read_recording(path, forces))
    if forces is not None:
        raise ValueError(f"{path} holds no markers, so --forces {forces} can't be put beside them. Inspect each alone.")
    if is_table and not is_ground_forces(read_opensim_table(path)[0].columns):
        return "\n".join(_motion(path, *read_motion_table(path)))
    return "\n".join(_ground_forces(read_ground_forces(path)))


def _ground_forces(forces: GroundForces) -> Iterator[str]:
    yield f"file      {forces.path.name} (ground reactions)"
    yield f"forces    {_span(forces.time_s, forces.rate_hz)}, taken as N, m and N·m"
    yield f"feet      {f'by {forces.told_by}' if forces.told_by else 'not said: told by where the ground pushes'}"
    peak_n = max(float(np.abs(each.force_n).max()) for each in forces.reactions)
    for number, each in enumerate(forces.reactions, start=1):
        size_n = np.linalg.norm(each.force_n, axis=1)
        when = ", ".join(
            f"{forces.time_s[start]:.2f}-{forces.time_s[stop - 1]:.2f} s"
            for start, stop in runs(size_n > LOADED_SHARE * peak_n)
        )
        whose = f"the {each.foot} foot's" if each.foot else "of either foot"
        yield f"force {number}   {each.name}: {whose}, peak {size_n.max():.0f} N, loaded {when or 'never'}"
    for warning in forces.warnings:
        yield f"WARNING   {warning}"


def _motion(path: Path, motion: Coordinates, warnings: tuple[str, ...]) -> Iterator[str]:
    rate_hz = (len(motion.time_s) - 1) / (motion.time_s[-1] - motion.time_s[0])
    yield f"file      {path.name} (joint coordinates)"
    yield f"motion    {len(motion.names)} coordinates, {_span(motion.time_s, rate_hz)}"
    yield f"          {' '.join(motion.names)}"
    for name, is_angle, values in zip(motion.names, motion.rotational, motion.values.T, strict=True):
        low, high = (np.degrees if is_angle else np.asarray)(np.array([values.min(), values.max()]))
        yield f"  range   {name}: {low:.3g} to {high:.3g} {'degrees' if is_angle else 'm'}"
    for warning in warnings:
        yield f"WARNING   {warning}"


def _span(time_s: np.ndarray, rate_hz: float) -> str:
    return f"{len(time_s)} rows at {rate_hz:g} Hz, {time_s[0]:.2f}-{time_s[-1]:.2f} s"
