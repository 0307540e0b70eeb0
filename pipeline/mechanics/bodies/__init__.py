"""Bodies moved by coordinates: poses in, places, velocities and generalized forces out. `forward.py` first."""
