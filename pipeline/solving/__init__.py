"""Markers, wrenches and an engine in; a `Solution`, how good it is, and what models learn from it out.

Read `solve.py` first. Nothing here imports OpenSim: an engine is handed in.
"""
