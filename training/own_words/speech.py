"""The speech of a run for own words, spoken into the run's folder."""

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from speechgru.atomic_files import write_text
from training.own_words.texts import texts_of
from training.voices.errors import SynthesisError
from training.voices.languages import Language
from training.voices.near_misses import holds_phrase
from training.voices.phrase_speakers import installed_voices
from training.voices.phrase_writing import Turn, listed, plan_turns, write_turns
from training.voices.sentence_speakers import Voices
from training.voices.sentence_writing import write_sentences
from training.voices.sentences import Sentence, read_sentences
from training.voices.words import COMMANDS, OTHER_WORDS

SIDES = ("held-out", "training")
HOURS = {"held-out": 0.5, "training": 0.5}  # of sentences
SENTENCE_TURNS = {  # kokoro, which takes long, has few
    "training": "flite festival espeak-ng kokoro flite festival espeak-ng piper flite festival",
    "held-out": "espeak-ng flite espeak-ng espeak-ng kokoro espeak-ng espeak-ng flite espeak-ng",
}

# Processor seconds for one clip, with two cores; a sentence takes as much as four clips.
CLIP_SECONDS = {"kokoro": 1.3, "piper": 0.25, "festival": 0.1, "flite": 0.06, "espeak-ng": 0.05}
SENTENCES_PER_HOUR = 900
MADE_SENTENCES = 3000


@dataclasses.dataclass(frozen=True)
class Speech:
    """What is spoken for a run, and where.

    Attributes:
        folder: the folder of it all.
        phrases: the phrases.
        language: their language.
        voices: for both sides the installed voices by engine.
        missing: for engines without voices, why.
        turns: for both sides who says what.
        seed: seed of all random choices.
    """

    folder: Path
    phrases: tuple[str, ...]
    language: Language
    voices: dict[str, dict[str, list[str]]]
    missing: list[str]
    turns: dict[str, list[Turn]]
    seed: int

    @property
    def clips(self) -> Path:
        """Folder of <label>/*.wav; its validation_list.txt names the clips of held-out voices."""
        return self.folder / "clips"

    def sentences(self, side: str) -> Path:
        """Folder of the sentences of a side."""
        return self.folder / ("sentences" if side == "training" else "sentences_held_out")

    @property
    def minutes(self) -> float:
        """About how long the voices speak."""
        clips: Counter[str] = Counter()
        for side in SIDES:
            for turn in self.turns[side]:
                clips[turn.speaker.engine] += len(turn.files)
            engines = sentence_voices(side, self.voices[side]).turns.split()
            for engine in engines:
                clips[engine] += round(4 * SENTENCES_PER_HOUR * HOURS[side] / len(engines))
        seconds = sum(CLIP_SECONDS[engine] * count for engine, count in clips.items())
        return seconds / 60 / min(2, os.cpu_count() or 1)

    @property
    def description(self) -> list[str]:
        """What is spoken, as lines for the log."""
        count = {side: sum(len(turn.files) for turn in self.turns[side]) for side in SIDES}
        return [
            *(
                f"{side} voices: "
                + ", ".join(f"{engine} ({len(v)})" for engine, v in self.voices[side].items())
                + f"; {count[side]:,} clips and {HOURS[side]} hours of sentences"
                for side in SIDES
            ),
            *(f"not installed: {reason}" for reason in self.missing),
        ]


def plan_speech(folder: Path, phrases: Sequence[str], language: Language, seed: int) -> Speech:
    """Decide what is spoken by whom.

    Args:
        folder: the folder for the speech.
        phrases: the phrases.
        language: their language.
        seed: seed of all random choices.

    Raises:
        SynthesisError: a phrase cannot be spoken, or no voice is installed.
    """
    found = {side: installed_voices(side, language) for side in SIDES}
    voices = {side: own for side, (own, _) in found.items()}
    missing = list(dict.fromkeys(reason for _, reasons in found.values() for reason in reasons))
    if not all(voices.values()):
        raise SynthesisError(f"expected a speech synthesiser, found none: {'; '.join(missing)}")
    # A language without words of its own has the English ones, read as its own letters are.
    words = language.other_words or OTHER_WORDS
    commands = COMMANDS if language.code == "en" else ()
    texts = texts_of(phrases, [*words, *commands], language.accents[0], seed)
    turns = {side: plan_turns(side, voices[side], texts[side], seed) for side in SIDES}
    return Speech(folder, tuple(phrases), language, voices, missing, turns, seed)


def speak(speech: Speech) -> None:
    """Write what is planned; what is there already stays.

    Raises:
        SynthesisError: a synthesiser fails, or a text for sentences is missing.
        OSError: a file cannot be written.
    """
    for side in SIDES:
        missing = write_turns(speech.clips, speech.turns[side], f"{side} voices: clips")
        if missing:
            print(f"{side} voices: {missing} clips are missing, which a voice could not say")
    held_out = listed(speech.turns["held-out"], speech.clips)
    write_text(speech.clips / "validation_list.txt", "".join(f"{name}\n" for name in held_out))
    sentences = _sentences(speech)
    for side in SIDES:
        write_sentences(
            speech.sentences(side),
            HOURS[side],
            side,
            sentences,
            speech.seed,
            voices=sentence_voices(side, speech.voices[side]),
        )


def _sentences(speech: Speech) -> list[Sentence]:
    """Sentences of the installed texts without a phrase; rows of words if there is no text."""
    sentences: list[Sentence] = []
    missing = []
    for text in speech.language.texts:
        one = dataclasses.replace(speech.language, texts=(text,))
        try:
            sentences += read_sentences([], one, speech.phrases)
        except SynthesisError as error:
            missing.append(str(error))
    for reason in dict.fromkeys(missing):
        print(f"sentences: {reason}")
    if sentences:
        return sentences
    print("sentences: there is no text, so they are rows of single words")
    rng = np.random.default_rng([speech.seed, 7])
    words = speech.language.other_words or OTHER_WORDS
    rows = [" ".join(rng.choice(words, rng.integers(4, 9))) for _ in range(MADE_SENTENCES)]
    return [Sentence(f"{row}.", "") for row in rows if not holds_phrase(row, speech.phrases)]


def sentence_voices(side: str, voices: dict[str, list[str]]) -> Voices:
    """The installed voices of a side with their turns; others take those of missing voices."""
    usual = SENTENCE_TURNS[side].split()
    others = [engine for engine in ("espeak-ng", *usual) if engine in voices]
    return Voices(" ".join(engine if engine in voices else others[0] for engine in usual), voices)
