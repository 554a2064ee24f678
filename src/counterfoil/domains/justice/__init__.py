"""Justice in England and Wales, as data."""
