"""The mechanics made ready: all that `entries.py` calls is compiled, or loaded."""

import sys
import threading

from pipeline.mechanics.entries import COMPILING_S, ENTRIES
from pipeline.mechanics.kernel_cache import NotStored, compiled_by_one, mark_as_used, nothing_compiled

_one_at_a_time = threading.Lock()
_is_ready = False


def ready() -> None:
    """Have every kernel compiled, by whichever process comes first, or loaded; the second call does nothing.

    A line on standard error says when something has to be compiled. Stored kernels that are damaged are compiled again.
    """
    if not _is_ready:
        with compiled_by_one(_announce):
            _call_all()


def load_stored() -> bool:
    """Load what is stored, and say whether that was everything. Compiles nothing."""
    try:
        with nothing_compiled():
            _call_all()
    except NotStored:
        return False
    return True


def _call_all() -> None:
    global _is_ready
    with _one_at_a_time:
        if not _is_ready:
            for entry in ENTRIES:
                entry()
            mark_as_used()
            _is_ready = True


def _announce() -> None:
    print(f"compiling the mechanics for this machine, once: about {COMPILING_S} s", file=sys.stderr, flush=True)
