"""The error that data folders cause."""

from speechgru.errors import SpeechGRUError


class DataError(SpeechGRUError, ValueError):
    """A data folder that cannot be used; the message names it and says why."""
