"""The built-in rule pack: one file for each rule, loaded through the entry point group ``otplint.rules``."""

API_VERSION = 1
FIXTURES = "otplint.fixtures"

if __name__ != "otplint.rules":
    raise ImportError(
        f"imported as {__name__!r}: this makes a second copy of every rule; import otplint.rules (pip install -e .)"
    )
