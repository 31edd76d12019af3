"""The error of the export scripts for input that they cannot use."""

from speechgru.errors import SpeechGRUError


class ExportError(SpeechGRUError, ValueError):
    """A run, an option or a place to write to that cannot be used; the message says why."""
