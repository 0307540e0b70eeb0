"""The contract room: what is stored, where, with which units, and what made it."""
