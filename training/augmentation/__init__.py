"""Augmentation of batches of clips in the TensorFlow graph."""
