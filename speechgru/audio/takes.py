"""Takes of a word: speech cut out of a sound with the quiet around it, if it can be used."""

import dataclasses

import numpy as np

from speechgru.audio.resampling import SAMPLE_RATE
from speechgru.audio.sample_arrays import Samples
from speechgru.audio.segmentation import PAUSE_SECONDS, Speech, find_speech

MARGIN_SECONDS = 0.3
"""Quiet before and after the speech of a take: faint sounds at the ends of words are in it."""

_ONSET_SECONDS = 0.1  # of quiet before speech that has not begun earlier
_FULL_SCALE = 0.99  # 8-bit samples reach no more
_MOST_AT_FULL_SCALE = 7  # samples; the highest peaks of normalised sound are shorter
_FAINT_DB = 20.0  # below the louder takes of the same sound: breath, a chair, another room


@dataclasses.dataclass(frozen=True)
class Take:
    """A piece of a sound, from a margin before the speech to a margin behind it.

    Attributes:
        start: where the speech begins in the sound, in seconds.
        end: where it ends, in seconds.
        samples: 16 kHz mono, float32 (samples,), with the margins.
        problem: why the take cannot be used; None if it can.
    """

    start: float
    end: float
    samples: Samples
    problem: str | None


def find_takes(samples: Samples, longest: float) -> list[Take]:
    """Find the takes in a sound. Each lasts up to the next pause of 0.5 s.

    Args:
        samples: 16 kHz mono samples, float32 (samples,).
        longest: seconds of speech in a take that can be used.

    Returns:
        The takes in the order of time, those that cannot be used among them.
    """
    found = find_speech(samples)
    loud = float(np.percentile([one.level for one in found], 75)) if found else 0.0
    return [_take(samples, speech, longest, loud - _FAINT_DB) for speech in found]


def has_ended(samples: Samples) -> bool:
    """Whether a sound that still goes on holds speech and a pause behind it."""
    found = find_speech(samples)
    return bool(found) and len(samples) - found[-1].end >= PAUSE_SECONDS * SAMPLE_RATE


def begins_in_speech(take: Take) -> bool:
    """Whether a sound begins so shortly before a take that the speech may have begun earlier."""
    return take.start < _ONSET_SECONDS


def ends_in_speech(samples: Samples, take: Take) -> bool:
    """Whether a sound ends so soon behind a take that the speech may have gone on."""
    return len(samples) / SAMPLE_RATE - take.end < MARGIN_SECONDS


def is_clipped(samples: Samples) -> bool:
    """Whether the sound was too loud for the microphone: samples lie at full scale."""
    return int(np.count_nonzero(np.abs(samples) >= _FULL_SCALE)) > _MOST_AT_FULL_SCALE


def _take(samples: Samples, speech: Speech, longest: float, faintest: float) -> Take:
    margin = round(MARGIN_SECONDS * SAMPLE_RATE)
    piece = samples[max(0, speech.start - margin) : speech.end + margin]
    start, end = speech.start / SAMPLE_RATE, speech.end / SAMPLE_RATE
    problem = None
    if end - start > longest:
        problem = (
            f"too long: {end - start:.1f} s without a pause, at most {longest:g} s can be used"
        )
    elif is_clipped(piece):
        problem = "too loud: the sound is clipped"
    elif speech.level < faintest:
        problem = f"too faint: {faintest + _FAINT_DB - speech.level:.0f} dB below the louder takes"
    return Take(start, end, piece, problem)
