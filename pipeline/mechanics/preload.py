"""Imported by a fork server: loads the kernels that are stored, so that its workers start with them. Compiles nothing.

A worker then calls `ready`, which does what is left to do.
"""

from contextlib import suppress

# What fails here fails again, and is told, where it is needed.
with suppress(Exception):
    from pipeline.mechanics.warm_up import load_stored

    load_stored()
