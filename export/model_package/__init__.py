"""The model file of a run: what it states, its check, its card, and where all of it is written."""
