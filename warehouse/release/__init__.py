"""Stored gait cycles in; a frozen, content-addressed training set out. Read `build.py` first."""
