"""The fixture that skips tests where the synthesisers are not installed."""

from tests.training.voices.conftest import synthesisers

__all__ = ["synthesisers"]
