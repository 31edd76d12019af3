"""A model of a user's own words: from text or few recordings to a model file, in one command."""
