"""The virtual laboratory: sessions of people who never were, whose true motion and forces are known exactly."""
