"""What the code says about actors: index, code model, frameworks, and the facts that rules ask."""
