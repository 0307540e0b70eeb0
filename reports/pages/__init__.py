"""Stored results in, one self-contained HTML page out: the same bytes for the same data. Read `dataset.py` first."""
