"""Plates against the motion: what a correction makes of a plate, and which correction the motion asks for."""
