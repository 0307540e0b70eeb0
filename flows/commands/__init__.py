"""The commands of `gait2hip`, one a file: what is typed becomes one call of what does the work."""
