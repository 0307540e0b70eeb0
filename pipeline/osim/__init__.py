"""The only door to OpenSim: a model file and measurements in, records out. Read `engines.py` first."""
