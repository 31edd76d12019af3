"""The error of everything that synthesises speech."""

from speechgru.errors import SpeechGRUError


class SynthesisError(SpeechGRUError, ValueError):
    """Speech that cannot be made: the message names what is missing or wrong."""
