"""Who speaks sentences: voices for training, and others that are held out to measure with.

The two sides share no voice. The held-out voices have spoken nothing that a bundled model was
trained on: they are no voices of `speakers.draw_speakers` or `speakers.draw_neural_speakers`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from training.voices.speakers import (
    ACCENTS,
    ESPEAK_VOICES,
    NATURAL_VOICES,
    USUAL_PITCH,
    Speaker,
)

# kokoro's English voices: American (a) and British (b), women (f) and men (m). Held out is the
# first third of each of the four groups in the order of the SHA-1 of the names.
HELD_OUT_STYLES = """
    af_aoede af_nova af_jessica af_alloy am_fenrir am_adam am_eric bf_emma bm_george
"""
TRAINING_STYLES = """
    af_sky af_sarah af_nicole af_heart af_kore af_bella af_river
    am_santa am_onyx am_liam am_michael am_echo am_puck
    bf_isabella bf_lily bf_alice bm_fable bm_daniel bm_lewis
"""

# Variants of espeak-ng that neither the clips nor the samples use, and that resemble none of those.
HELD_OUT_VARIANTS = "Alicia Hugo Jacky Lee antonio benjamin marcelo norbert"


def _kokoro_voices(styles: str) -> list[str]:
    return [f"{'en-gb' if style[0] == 'b' else 'en-us'}+{style}" for style in styles.split()]


@dataclass(frozen=True)
class Voices:
    """The voices of one side.

    Args:
        turns: names of engines in the order in which they speak, separated by spaces; one that is
            named twice speaks twice as often.
        voices: the voices of each engine, which speak in turn.
    """

    turns: str
    voices: dict[str, list[str]]


# kokoro is the most natural and the slowest by far, so it has about half of the turns.
SIDES = {
    "training": Voices(
        turns="kokoro flite kokoro festival espeak-ng kokoro flite kokoro piper festival",
        voices={
            "kokoro": _kokoro_voices(TRAINING_STYLES),
            "piper": ["en-us+joe+noise:67+width:80"],
            "espeak-ng": ESPEAK_VOICES,
            **{
                engine: [voice for e, voice in NATURAL_VOICES if e == engine]
                for engine in ("flite", "festival")
            },
        },
    ),
    "held-out": Voices(
        turns="kokoro espeak-ng kokoro kokoro flite kokoro espeak-ng kokoro kokoro espeak-ng",
        voices={
            "kokoro": _kokoro_voices(HELD_OUT_STYLES),
            "flite": ["rms"],  # a voice of the samples: nothing is trained on those either
            "espeak-ng": [
                f"{a}+{v}" for a, v in product(ACCENTS.split(), HELD_OUT_VARIANTS.split())
            ],
        },
    ),
}


def voices_of(voices: Voices) -> list[Speaker]:
    """Return a speaker of each voice."""
    return [Speaker(engine, name) for engine, names in voices.voices.items() for name in names]


def draw_sentence_speakers(voices: Voices, seed: int) -> Iterator[Speaker]:
    """Yield speakers without end, each a voice in its turn with settings drawn at random.

    Args:
        voices: those of a side, or some of them.
        seed: seed of all random choices.
    """
    rng = np.random.default_rng([seed, 2])
    names = voices.voices
    order = {engine: rng.permutation(len(own)) for engine, own in names.items()}
    spoken = dict.fromkeys(names, 0)
    while True:
        for engine in voices.turns.split():
            voice = names[engine][order[engine][spoken[engine] % len(order[engine])]]
            spoken[engine] += 1
            yield _draw_settings(engine, voice, rng)


def _draw_settings(engine: str, voice: str, rng: np.random.Generator) -> Speaker:
    """Draw usual settings for a voice: those of single words vary more."""
    speed, size = int(rng.integers(140, 211)), round(rng.uniform(0.9, 1.12), 2)
    pitch = int(rng.integers(35, 66))
    neural = engine in ("kokoro", "piper")
    return Speaker(engine, voice, speed, USUAL_PITCH if neural else pitch, size)
