"""Walking speed without dimension: at the same one, short and tall people walk alike."""

import numpy as np

from pipeline.ground.contacts import GRAVITY_M_S2

# Leg length over height: Drillis and Contini (1966), as in Winter (2009), fig. 4.1.
LEG_PER_HEIGHT = 0.530


def dimensionless_speed(speed_m_s: float, height_m: float) -> float:
    """Speed over the square root of g times leg length (Hof 1996, Gait Posture 4:222)."""
    return float(speed_m_s / np.sqrt(GRAVITY_M_S2 * LEG_PER_HEIGHT * height_m))


def speed_m_s(dimensionless: float, height_m: float) -> float:
    """The speed at this height, from the dimensionless one."""
    return float(dimensionless * np.sqrt(GRAVITY_M_S2 * LEG_PER_HEIGHT * height_m))
