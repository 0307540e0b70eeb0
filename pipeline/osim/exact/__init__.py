"""Engine `exact`: OpenSim's mechanics, our solvers, every frame at its optimum. Read `engine.py` first."""
