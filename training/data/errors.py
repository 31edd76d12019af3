"""The error of the official release's download."""

from speechgru.errors import SpeechGRUError


class DownloadError(SpeechGRUError, ValueError):
    """A data set that cannot be fetched or unpacked; the message says why."""
