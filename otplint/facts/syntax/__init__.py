"""The code model: LibCST regions as plain records with exact positions."""
