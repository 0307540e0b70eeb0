"""The only door to OpenSim: nothing outside this folder imports `opensim`."""
