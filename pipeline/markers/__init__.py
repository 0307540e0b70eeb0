"""A `Recording` in, marker trajectories in the walker's own frame out. Read `trajectories.py` first."""
