"""TODO: errors."""


class DataError(ValueError):
    """A data folder that cannot be trained on; the message says why."""
