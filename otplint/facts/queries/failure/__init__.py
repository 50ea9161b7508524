"""What becomes of failures: clauses that catch, their reactions, and stopping."""
