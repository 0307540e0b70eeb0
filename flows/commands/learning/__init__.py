"""Commands that train, compare and use models."""
