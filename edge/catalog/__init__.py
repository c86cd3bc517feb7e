"""Models: cards, files, and the inspector that says what a file is."""
