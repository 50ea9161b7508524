"""Files before anybody understands them: which ones there are, their text, their positions."""
