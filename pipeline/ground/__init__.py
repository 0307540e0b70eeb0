"""Plates and feet in; one wrench a foot and frame, gait events and strides out. Read `observe_walk.py` first."""
