"""The chain's functions that `flows.ingest` calls; each imports what it needs when it is called.

`flows.ingest` knows them by this module's name, so that a flow's parameters stay plain values, and a worker
process imports OpenSim while the process that keeps the batch together never does.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from warehouse.outcome import Outcome

if TYPE_CHECKING:
    from pipeline.session import Session
