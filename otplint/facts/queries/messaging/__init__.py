"""Messages, raw writes and what happens when a request fails."""
