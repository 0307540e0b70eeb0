"""Recordings in whatever file they come (C3D, TRC, .mot, .sto) to `Recording`. Read `read_recording.py` first."""
