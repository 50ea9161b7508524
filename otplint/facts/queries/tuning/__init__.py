"""Values that decide behaviour: thresholds, limits, and what fixes them."""
