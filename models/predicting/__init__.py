"""A trained run and cycles in; curves, their limits and how strange the motion is out. Read `trained_run.py` first."""
