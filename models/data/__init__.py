"""A release in; arrays of gait cycles, channels by name and a split by subject out. Read `cycles.py` first."""
