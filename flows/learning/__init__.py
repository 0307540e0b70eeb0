"""Releases and runs in; trained, promoted and tested models, predictions and pages out. Read `train.py` first."""
