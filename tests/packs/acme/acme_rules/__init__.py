"""Rules of a house whose actors share one standard output with a protocol."""

API_VERSION = 1
