"""Predictions and what was measured in, figures and verdicts out. Read `scorecard.py` first."""
