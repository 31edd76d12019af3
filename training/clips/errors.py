"""The error of data folders that cannot be used."""

from speechgru.errors import SpeechGRUError


class DataError(SpeechGRUError, ValueError):
    """A data folder that cannot be trained on; the message says why."""
