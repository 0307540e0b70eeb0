"""Muscles: poses and speeds in; paths, moment arms, forces and activations of least effort out."""
