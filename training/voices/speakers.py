"""Speakers: a voice of a synthesiser with its settings, fixed ones and randomly drawn ones."""

import re
from dataclasses import dataclass
from itertools import product

import numpy as np

from training.voices.errors import SynthesisError

COMMAND_LINE_ENGINES = ("espeak-ng", "flite", "festival")
NEURAL_ENGINES = ("kokoro", "piper")
ENGINES = COMMAND_LINE_ENGINES + NEURAL_ENGINES
USUAL_SPEED = 175  # words a minute
USUAL_PITCH = 50


@dataclass(frozen=True)
class Speaker:
    """A voice of a synthesiser with its settings.

    Args:
        engine: the synthesiser, one of ``ENGINES``.
        voice: a name that the synthesiser knows. espeak-ng's is an accent, a plus sign and a
            variant. kokoro's is an accent and a voice ("en-us+af_bella"), or the voices that are
            blended, each with its weight in percent ("en-us+jf_alpha:60+jm_kumo:40"). piper's is an
            accent, the voice and two kinds of noise in percent ("en-us+joe+noise:67+width:80").
        speed: words a minute; defaults to 175, the usual speed of every voice.
        pitch: from 0 to 99, as espeak-ng counts it; defaults to 50, the usual pitch.
        size: factor by which the sound is played faster. It raises pitch and formants together, as
            a smaller speaker would. Defaults to 1.

    Raises:
        SynthesisError: the engine is unknown, or a setting is out of range.
    """

    engine: str
    voice: str
    speed: int = USUAL_SPEED
    pitch: int = USUAL_PITCH
    size: float = 1.0

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise SynthesisError(
                f"engine: expected one of {', '.join(ENGINES)}, found {self.engine!r}"
            )
        if not re.fullmatch(r"\w[\w+:-]*", self.voice):
            raise SynthesisError(f"voice: expected the name of a voice, found {self.voice!r}")
        if not 1 <= self.speed <= 1000:
            raise SynthesisError(f"speed: expected 1 to 1000 words a minute, found {self.speed}")
        if not 0 <= self.pitch <= 99:
            raise SynthesisError(f"pitch: expected 0 to 99, found {self.pitch}")
        if not 0.1 <= self.size <= 10:
            raise SynthesisError(f"size: expected 0.1 to 10, found {self.size}")

    @property
    def name(self) -> str:
        """The speaker's part of a clip's file name: engine, voice and settings."""
        size = round(100 * self.size)
        return f"{self.engine}-{_plain(self.voice)}-s{self.speed}-p{self.pitch}-r{size}"

    @property
    def voice_name(self) -> str:
        """Engine and voice, without the accent: what all speakers with one voice share."""
        return f"{self.engine}-{_plain(self.voice.partition('+')[2] or self.voice)}"

    @property
    def is_neural(self) -> bool:
        return self.engine in NEURAL_ENGINES

    @property
    def stretch(self) -> float:
        """Duration, as a factor of the voice's usual one."""
        return USUAL_SPEED / self.speed

    @property
    def pitch_factor(self) -> float:
        """Fundamental frequency, as a factor of the voice's usual one."""
        return float(2 ** ((self.pitch - USUAL_PITCH) / 40))


def is_voice(name: str) -> bool:
    """Return whether a speaker's name in a file is that of a synthetic voice (`voice_name`)."""
    return name.startswith(tuple(f"{engine}-" for engine in ENGINES))


def _plain(voice: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", voice.lower())


SAMPLE_SPEAKERS = {  # by the names that the sample files carry
    "espeak-male": Speaker("espeak-ng", "en-gb-x-rp+m3", speed=150),
    "espeak-female": Speaker("espeak-ng", "en-us+f2", speed=150),
    "flite-rms": Speaker("flite", "rms"),
    "festival-kal": Speaker("festival", "kal_diphone"),
}

# Voices of the clips. espeak-ng: accents times variants, without those of the samples and without
# variants that rumble, clip or echo until they are barely speech. The natural voices leave out
# flite's kal and kal16, which are the speaker of the sample voice kal_diphone.
ACCENTS = "en-gb en-us en-gb-scotland en-gb-x-gbclan en-gb-x-gbcwmd en-029 en-us-nyc"
VARIANTS = """
    m1 m2 m4 m5 m6 m7 m8 f1 f3 f4 f5 croak whisper whisperf
    Alex Andrea Andy Annie Denis Diogo Gene Henrique Mario Michael Mike Nguyen
    adam anika aunty belinda boris caleb david ed edward grandma grandpa gustave iven3
    john klatt2 klatt3 klatt4 linda max michel miguel pablo paul pedro quincy rob robert
    sandro steph travis victor
"""
ESPEAK_VOICES = [f"{a}+{v}" for a, v in product(ACCENTS.split(), VARIANTS.split())]
NATURAL_VOICES = [
    ("flite", "awb"),
    ("flite", "slt"),
    ("festival", "ked_diphone"),
    ("festival", "cmu_us_slt_arctic_hts"),
]

# Accents of kokoro's voices. espeak-ng knows all but the last: speakers of en-us-merged say "off"
# with the vowel of "stop".
KOKORO_ACCENTS = ["en-us", "en-gb", "en-us-merged"]
KOKORO_VOICES = ["jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo"]


def draw_speakers(number: int, rng: np.random.Generator) -> list[Speaker]:
    """Draw speakers of the command-line synthesisers: every second one has a natural voice.

    There are few natural voices, so their settings vary more, up to a child's size.
    """
    espeak = list(rng.permutation(ESPEAK_VOICES))
    speakers = []
    for i in range(number):
        if i % 2:
            engine, voice = NATURAL_VOICES[i // 2 % len(NATURAL_VOICES)]
            speed, pitch = rng.integers(120, 215), rng.integers(35, 80)
            size = round(rng.uniform(0.85, 1.3), 2)
        else:
            engine, voice = "espeak-ng", str(espeak[i // 2 % len(espeak)])
            speed, pitch = rng.integers(110, 221), rng.integers(20, 81)
            size = round(rng.uniform(0.85, 1.18), 2)
        speakers.append(Speaker(engine, voice, int(speed), int(pitch), size))
    return speakers


def draw_neural_speakers(number: int, rng: np.random.Generator) -> list[Speaker]:
    """Draw speakers of the neural synthesisers: every third one has piper's voice.

    kokoro's voices are slow, so they get a higher speed. Most of them are women's, so sizes go
    down to a man's.
    """
    return [_draw_piper(rng) if i % 3 == 2 else _draw_kokoro(rng) for i in range(number)]


def _draw_piper(rng: np.random.Generator) -> Speaker:
    # In joe's own accent alone: in the others his "off" sounds like "up".
    noise, width = rng.integers(40, 90), rng.integers(40, 110)
    voice = f"en-us+joe+noise:{noise}+width:{width}"
    speed, size = int(rng.integers(120, 215)), rng.uniform(0.85, 1.3)
    return Speaker("piper", voice, speed, size=round(size, 2))


def _draw_kokoro(rng: np.random.Generator) -> Speaker:
    accent, blend = rng.choice(KOKORO_ACCENTS), draw_blend(rng)
    voice = "+".join([accent, *(f"{name}:{weight}" for name, weight in blend.items())])
    size = rng.uniform(0.8, 1.15)
    speed = int(rng.integers(190, 270) / size)
    return Speaker("kokoro", voice, speed, size=round(size, 2))


def draw_blend(rng: np.random.Generator) -> dict[str, int]:
    """Draw one to three of kokoro's voices with weights in percent."""
    names = sorted(rng.choice(KOKORO_VOICES, 3, replace=False))
    weights = np.diff([0, *sorted(rng.integers(101, size=2)), 100])
    return {str(name): int(weight) for name, weight in zip(names, weights, strict=True) if weight}
