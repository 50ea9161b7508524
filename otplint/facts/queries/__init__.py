"""What rules ask of actors: failures, limits, watches, messages, decisions."""
