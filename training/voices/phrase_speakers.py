"""Who speaks phrases: the installed voices, in many settings, and other voices to measure with.

The two sides are those of `sentence_speakers`: they share no voice.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle

import numpy as np

from training.voices.availability import require_voices
from training.voices.errors import SynthesisError
from training.voices.languages import Language
from training.voices.sentence_speakers import (
    HELD_OUT_STYLES,
    HELD_OUT_VARIANTS,
    SIDES,
    TRAINING_STYLES,
)
from training.voices.speakers import NEURAL_ENGINES, USUAL_PITCH, VARIANTS, Speaker

OTHER_LANGUAGES = {  # styles of kokoro and variants of espeak-ng
    "training": (TRAINING_STYLES, VARIANTS),
    "held-out": (HELD_OUT_STYLES, HELD_OUT_VARIANTS),
}

# Shares of the engines. kokoro is the most natural one, and takes about a second for a clip.
# espeak-ng has the most voices; they sound least like people.
PHRASE_SHARES: dict[str, dict[str, float]] = {
    "training": {"kokoro": 3, "piper": 2, "flite": 4, "festival": 4, "espeak-ng": 5},
    "held-out": {"kokoro": 4, "flite": 1, "espeak-ng": 3},
}
OTHER_SHARES: dict[str, dict[str, float]] = {
    "training": {"kokoro": 0.5, "piper": 1, "flite": 2, "festival": 2, "espeak-ng": 4},
    "held-out": {"kokoro": 0.5, "flite": 1, "espeak-ng": 3},
}


def voices_of_language(side: str, language: Language) -> dict[str, list[str]]:
    """Return the voices of a side that can speak a language, by engine.

    Other languages than English are spoken by espeak-ng, and by kokoro's English voices with the
    phonemes of the language.

    Args:
        side: "training" or "held-out".
        language: the language.
    """
    if language.code == "en":
        return SIDES[side].voices
    styles, variants = OTHER_LANGUAGES[side]
    accents = cycle(language.accents)
    return {
        "kokoro": [
            f"{accent}+{style}" for accent, style in zip(accents, styles.split(), strict=False)
        ],
        "espeak-ng": [f"{a}+{v}" for a in language.accents for v in variants.split()],
    }


def installed_voices(side: str, language: Language) -> tuple[dict[str, list[str]], list[str]]:
    """Return the voices of a side that are installed, and what is missing.

    Args:
        side: "training" or "held-out".
        language: what they speak.

    Returns:
        The names of the voices by engine, and for each engine without voices the reason.
    """
    voices: dict[str, list[str]] = {}
    missing = []
    for engine, names in voices_of_language(side, language).items():
        try:
            require_voices(Speaker(engine, name) for name in names)
        except SynthesisError as error:
            missing.append(str(error))
        else:
            voices[engine] = names
    return voices, missing


def draw_phrase_speakers(
    engine: str, voices: Sequence[str], number: int, rng: np.random.Generator, *, blend: bool
) -> list[Speaker]:
    """Draw speakers of one engine: its voices in turn, with settings that vary widely.

    Args:
        engine: the engine.
        voices: its voices.
        number: how many speakers.
        rng: draws the order of the voices and the settings.
        blend: whether every second speaker of kokoro is a blend of two voices.
    """
    order = rng.permutation(len(voices))
    speakers = []
    for turn in range(number):
        voice = voices[order[turn % len(voices)]]
        if blend and engine == "kokoro" and turn % 2:
            voice = _blended(voice, voices[int(rng.integers(len(voices)))], rng)
        size = round(rng.uniform(0.85, 1.18), 2)
        speed = int(rng.integers(115, 226) / (size if engine == "kokoro" else 1))
        pitch = USUAL_PITCH if engine in NEURAL_ENGINES else int(rng.integers(25, 76))
        speakers.append(Speaker(engine, _varied(engine, voice, rng), speed, pitch, size))
    return speakers


def divide(
    counts: Mapping[str, int], shares: Mapping[str, float], engines: Iterable[str]
) -> dict[str, dict[str, int]]:
    """Divide clips of texts between engines, in proportion to the engines' shares.

    Each engine gets its share of all clips together; of a text with few clips some engines say
    none.

    Args:
        counts: clips of each text.
        shares: of every engine.
        engines: those that speak.

    Returns:
        For each engine the clips of each text.
    """
    own = {engine: shares[engine] for engine in engines if engine in shares}
    whole = sum(own.values())
    divided: dict[str, dict[str, int]] = {engine: {} for engine in own}
    due = dict.fromkeys(own, 0.0)
    for text, count in counts.items():
        for engine in own:
            due[engine] += count * own[engine] / whole
        for _ in range(count):
            engine = max(due, key=due.__getitem__)
            due[engine] -= 1
            divided[engine][text] = divided[engine].get(text, 0) + 1
    return divided


def _blended(one: str, other: str, rng: np.random.Generator) -> str:
    """Return a kokoro voice between two; the accent is that of the first one."""
    accent, name = one.split("+")
    other_name = other.split("+")[1]
    weight = int(rng.integers(35, 66))
    return one if name == other_name else f"{accent}+{name}:{weight}+{other_name}:{100 - weight}"


def _varied(engine: str, voice: str, rng: np.random.Generator) -> str:
    """Give piper's voice other amounts of noise."""
    if engine != "piper":
        return voice
    accent, name, *_ = voice.split("+")
    return f"{accent}+{name}+noise:{rng.integers(40, 90)}+width:{rng.integers(40, 110)}"
