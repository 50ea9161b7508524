"""Spawning, supervision and what decides about it."""
