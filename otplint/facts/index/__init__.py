"""What each file says to the others, and the project that joins them: names, classes, descent."""
