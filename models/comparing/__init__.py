"""Trained runs and a release in; who beats whom, and whether a challenger is promoted, out.

Read `evaluate.py` first.
"""
