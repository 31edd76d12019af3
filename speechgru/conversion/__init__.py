"""Conversion of Keras models to LiteRT flatbuffers with builtin operators only."""
