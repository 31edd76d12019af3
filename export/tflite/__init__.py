"""Conversion of a trained model to the flatbuffer of a model file."""
