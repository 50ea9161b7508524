"""otplint: finds where Python actor code defeats its own supervision."""

__version__ = "0.1.0"
