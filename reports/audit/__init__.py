"""Cycles in; a verdict on each subject (far, shifted, exchanged, saturated, silent) out. Read `audit.py` first."""
