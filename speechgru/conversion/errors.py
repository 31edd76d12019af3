"""The error of models that cannot be converted. It needs no TensorFlow."""

from speechgru.errors import SpeechGRUError


class ConversionError(SpeechGRUError, ValueError):
    """A model that cannot be converted to LiteRT's builtin operators; says what and why."""
