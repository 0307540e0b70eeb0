"""One page of a walk: `python -m benchmarks.plot_walks WAREHOUSE OUT.png [--trial COHORT/SUBJECT/SESSION/TRIAL]`.

Angles, hip moments and muscle forces over the gait cycle, both legs, with foot off marked. Without `--trial`
the first accepted trial is drawn.
"""

import argparse
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

COLOUR = {"right": "#1b6ca8", "left": "#c0392b"}


@dataclass(frozen=True)
class Panel:
    """One small diagram: which column of `cycles`, and what its axis says."""

    title: str
    column: str
    unit: str


PANELS = (
    (
        Panel("hip flexion", "hip_flexion_ipsi", "degree"),
        Panel("hip adduction", "hip_adduction_ipsi", "degree"),
        Panel("hip rotation", "hip_rotation_ipsi", "degree"),
        Panel("knee flexion", "knee_angle_ipsi", "degree"),
        Panel("ankle dorsiflexion", "ankle_angle_ipsi", "degree"),
    ),
    (
        Panel("hip flexion moment", "moment_hip_flexion", "N·m/kg"),
        Panel("hip adduction moment", "moment_hip_adduction", "N·m/kg"),
        Panel("hip rotation moment", "moment_hip_rotation", "N·m/kg"),
        Panel("iliopsoas", "force_iliopsoas", "N/kg"),
        Panel("rectus femoris", "force_recfem", "N/kg"),
    ),
    (
        Panel("gluteus maximus", "force_glmax", "N/kg"),
        Panel("gluteus medius", "force_glmed", "N/kg"),
        Panel("gluteus minimus", "force_glmin", "N/kg"),
        Panel("hamstrings, medial", "force_hamstring", "N/kg"),
        Panel("biceps femoris, long head", "force_bflh", "N/kg"),
    ),
)


def main() -> None:
    arguments = _arguments()
    warehouse = Warehouse(arguments.warehouse)
    key = TrialKey.parse(arguments.trial) if arguments.trial else first_accepted(warehouse)
    cycles = read.read_table(warehouse, "cycles", key).to_pandas()
    draw(cycles, str(key)).savefig(arguments.out, dpi=72)


def first_accepted(warehouse: Warehouse) -> TrialKey:
    for account in read.trials(warehouse):
        if account.summary["outcome"] == "accepted":
            return read.trial_key(account)
    raise WarehouseError(f"{warehouse.root} holds no accepted trial. Ingest a session first.")


def draw(cycles: pd.DataFrame, title: str) -> Figure:
    """All panels of one trial; `cycles` is its table of gait cycles."""
    figure, axes = plt.subplots(len(PANELS), len(PANELS[0]), figsize=(13, 7), sharex=True, layout="constrained")
    for row, panels in zip(axes, PANELS, strict=True):
        for axis, panel in zip(row, panels, strict=True):
            _draw_panel(axis, panel, cycles)
    for axis in axes[-1]:
        axis.set_xlabel("gait cycle [%]")
    handles, labels = axes[0][0].get_legend_handles_labels()
    legs = dict(zip(labels, handles, strict=True))
    figure.legend(legs.values(), legs.keys(), loc="outside upper right", ncols=2, frameon=False)
    figure.suptitle(f"{title}   ({cycles.condition.iloc[0]}; dotted: foot off)", x=0.01, ha="left")
    return figure


def _draw_panel(axis: Axes, panel: Panel, cycles: pd.DataFrame) -> None:
    for (side, _), cycle in cycles.groupby(["side", "cycle"]):
        axis.plot(100 * cycle.phase, cycle[panel.column], color=COLOUR[side], label=side)
        axis.axvline(100 * cycle.toe_off_phase.iloc[0], color=COLOUR[side], linestyle=":", linewidth=1)
    axis.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    axis.set_title(panel.title, fontsize=10)
    axis.set_ylabel(panel.unit, fontsize=8)
    axis.set_xlim(0, 100)
    axis.spines[["top", "right"]].set_visible(False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("warehouse", help="a warehouse's folder or s3:// prefix")
    parser.add_argument("out", help="the picture to write, .png")
    parser.add_argument("--trial", help="COHORT/SUBJECT/SESSION/TRIAL; default: the first accepted one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
