"""Verification: every form of a model against the Keras model, and golden vectors for ports."""
