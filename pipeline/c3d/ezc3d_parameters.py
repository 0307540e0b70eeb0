"""A program: print the parameters of a C3D file as ezc3d reads them, as JSON on standard output.

Run by `pipeline/c3d/parameters.py` as `python ezc3d_parameters.py FILE`, so that a crash of the native
library ends this process and nothing else. Texts become {"texts": [...]}, numbers {"numbers": nested lists,
"shape": [...]}.
"""

import json
import sys

import ezc3d
import numpy as np


def main() -> None:
    """Print the parameters of the file named on the command line."""
    values = {}
    for group_name, group in ezc3d.c3d(sys.argv[1])["parameters"].items():
        for name, parameter in group.items():
            if name != "__METADATA__":
                values[f"{group_name}:{name}".upper()] = _plain(parameter["value"])
    json.dump(values, sys.stdout)


def _plain(value: list[str] | np.ndarray) -> dict[str, list]:
    if isinstance(value, list):
        return {"texts": value}
    numbers = np.asarray(value, dtype=float)
    return {"numbers": numbers.tolist(), "shape": list(numbers.shape)}


if __name__ == "__main__":
    main()
