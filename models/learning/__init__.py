"""Cycles, a split and a training recipe in, a trained run out. Read `protocols.py` first."""
