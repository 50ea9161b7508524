"""Watches, their releases and the ways of the notice."""
