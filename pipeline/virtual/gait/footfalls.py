"""When each foot is on the floor and with which part, its share of the load, and its centre of pressure.

Shapes: P phases (cycles since the right foot's strike).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.records import SIDES, Side
from pipeline.virtual.gait.normal_gait import normal_rollover

# Shares of the stance at which the ball comes down, the heel leaves and the ball leaves (Perry and Burnfield 2010,
# ch. 3: foot flat ends the loading response at 12 %, heel off is at 31 % of a cycle whose stance takes 62 %; the ball
# lifts over the toes before they leave). Each constraint fades in or out over this share of the stance.
BALL_DOWN, HEEL_UP, BALL_UP = 0.17, 0.47, 0.94
FADE = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """One foot at P phases.

    heel_down and ball_down: how firmly that part stands on the floor, 0 to 1. load: the foot's share of the vertical
    force. along and outward: the centre of pressure from the heel's contact point, in units of the distance to the
    ball's. stride: how many strides this foothold lies ahead of that of phases 0 to 1.
    """

    heel_down: np.ndarray
    ball_down: np.ndarray
    load: np.ndarray
    along: np.ndarray
    outward: np.ndarray
    stride: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Foothold:
    """Contact points of a foot's heel and ball on the floor, (2,) each, x and z in metres, in the first stride."""

    heel_m: np.ndarray
    ball_m: np.ndarray

    def pressure_m(self, support: Support, stride_m: float, side: Side) -> np.ndarray:
        """The planned centre of pressure, (P, 2): x and z. NaN while the foot is in the air."""
        along = self.ball_m - self.heel_m
        outward = np.array([-along[1], along[0]]) * (1 if side == "right" else -1)
        place = self.heel_m + support.along[:, None] * along + support.outward[:, None] * outward
        place[:, 0] += support.stride * stride_m
        return place


class Footing(Protocol):
    """How the feet support a motion."""

    def support(self, phase: np.ndarray) -> Mapping[Side, Support]:
        """Both feet at these phases."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Walking: each foot strikes at a phase (the right one at 0) and stands for a share of the cycle.

    ValueError unless each foot strikes before the other one leaves: there is always double support.
    """

    left_strike: float
    right_stance: float
    left_stance: float

    def __post_init__(self) -> None:
        if not (self.left_strike < self.right_stance and 1 - self.left_strike < self.left_stance):
            raise ValueError(f"these steps leave no double support: {self}.")

    def strike(self, side: Side) -> float:
        """The phase of a foot's strike."""
        return 0.0 if side == "right" else self.left_strike

    def stance(self, side: Side) -> float:
        """The share of the cycle that a foot stands."""
        return self.right_stance if side == "right" else self.left_stance

    def support(self, phase: np.ndarray) -> dict[Side, Support]:
        """Both feet at these phases."""
        return {side: self._support(phase, side) for side in SIDES}

    def _support(self, phase: np.ndarray, side: Side) -> Support:
        stance = self.stance(side)
        since = (phase - self.strike(side)) % 1.0
        done = np.where(since < stance, since / stance, np.nan)
        down = np.isfinite(done)
        rollover = normal_rollover()
        return Support(
            heel_down=np.where(down, 1 - _smooth((done - HEEL_UP) / FADE), 0.0),
            ball_down=np.where(
                down, _smooth((done - BALL_DOWN) / FADE + 1) * (1 - _smooth((done - BALL_UP) / FADE)), 0.0
            ),
            load=np.where(down, self._load(since, side), 0.0),
            along=np.interp(done, rollover[0], rollover[1]),
            outward=np.interp(done, rollover[0], rollover[2]),
            stride=np.floor(phase - self.strike(side)),
        )

    def _load(self, since: np.ndarray, side: Side) -> np.ndarray:
        """The share of the whole vertical force. In double support it passes linearly from foot to foot.

        The smooth transition assumption (Ren et al. 2008, J Biomech 41:2750) lets it pass along a steeper curve that is
        flat at both ends, but that asks for movements above the cut-off of any filter.
        """
        other: Side = "left" if side == "right" else "right"
        gap = (self.strike(other) - self.strike(side)) % 1.0
        taking = gap + self.stance(other) - 1
        giving = self.stance(side) - gap
        return np.asarray(np.clip(since / taking, 0, 1) * (1 - np.clip((since - gap) / giving, 0, 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Quiet standing: both feet flat, with small sway from side to side, forward and back.

    centre_along and sway_along are in lengths from heel to ball; sway_across is the share of weight that passes from
    foot to foot.
    """

    sway_along: float
    sway_across: float
    centre_along: float

    def support(self, phase: np.ndarray) -> dict[Side, Support]:
        """Both feet at these phases."""
        whole, none = np.ones_like(phase), np.zeros_like(phase)
        more = self.sway_across * np.sin(2 * np.pi * phase)
        along = self.centre_along + self.sway_along * np.cos(4 * np.pi * phase)
        loads: dict[Side, np.ndarray] = {"right": 0.5 + more, "left": 0.5 - more}
        return {
            side: Support(heel_down=whole, ball_down=whole, load=load, along=along, outward=none, stride=none)
            for side, load in loads.items()
        }


def _smooth(x: np.ndarray) -> np.ndarray:
    """The smooth step from 0 at 0 to 1 at 1, constant beyond."""
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x**2 * (3 - 2 * x))
