"""What workers that solve are started with, so that their first call finds the mechanics compiled and loaded.

Where processes are forked, the fork server has loaded what is stored, and a worker is ready at once.
"""

MECHANICS_PRELOAD = "pipeline.mechanics.preload"


def make_ready() -> None:
    """In a worker: load the mechanics, after compiling them if this machine has not done so yet."""
    # The process that starts workers never loads numba.
    from pipeline.mechanics.warm_up import ready

    ready()
