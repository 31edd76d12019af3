"""Parts of the speakers: two halves to decide and to check on, and a reserved third."""

import hashlib
import os
from typing import NamedTuple

DEVELOPMENT, HELD_OUT = "development speakers", "held-out speakers"


class Speakers(NamedTuple):
    """Which speakers are evaluated in streams.

    Attributes:
        reserved: only the reserved third; or False: only the others; or None: all. With all, which
            is for few voices, constants are chosen on everybody, and nobody is left to check them.
    """

    reserved: bool | None

    @property
    def description(self) -> str:
        """The speakers, as text for reports and messages."""
        if self.reserved is None:
            return "all speakers"
        return "the reserved third of the speakers" if self.reserved else "unreserved speakers"

    def includes(self, speaker: str) -> bool:
        """Return whether a speaker is one of them."""
        return self.reserved is None or is_reserved_speaker(speaker) == self.reserved


def chosen_on(speakers: str) -> str:
    """Return on whose recordings constants were chosen, as text for reports.

    Args:
        speakers: the description of the speakers that were evaluated.
    """
    return speakers if speakers == EVERYBODY.description else "the development speakers"


UNRESERVED, RESERVED, EVERYBODY = Speakers(False), Speakers(True), Speakers(None)


def is_held_out_speaker(speaker: str) -> bool:
    """Return whether a speaker is in the held-out half: the SHA-1 of the name is odd."""
    return hashlib.sha1(os.fsencode(speaker)).digest()[-1] % 2 == 1


def is_reserved_speaker(speaker: str) -> bool:
    """Return whether a speaker is in the reserved third: the SHA-1 of "final:" and the name is
    divisible by three. The third is independent of the halves.
    """
    return int(hashlib.sha1(b"final:" + os.fsencode(speaker)).hexdigest(), 16) % 3 == 0
