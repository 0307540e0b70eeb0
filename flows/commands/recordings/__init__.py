"""Commands from recordings to a warehouse."""
