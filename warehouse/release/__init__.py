"""Releases: frozen training sets, cut from a warehouse once and never changed. Training reads nothing else."""
