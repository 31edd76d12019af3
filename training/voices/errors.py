"""The error of everything that synthesises speech."""


class SynthesisError(ValueError):
    """Speech that cannot be made: the message names what is missing or wrong."""
