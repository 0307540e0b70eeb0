"""OpenSim asked frame by frame: the reference that arrays are compared with, and the way of models they can't say."""
