"""Rule packs, their selection, and the run of the rules over the facts."""
