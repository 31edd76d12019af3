"""Recordings of phrases and of their near misses, by training voices and by held-out ones."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from speechgru.atomic_files import remove_unfinished, replacing
from training.clips.levels import db_to_amplitude
from training.clips.speakers import SPEAKER_MARK
from training.clips.words import UNKNOWN
from training.voices.clip_writing import deal_words
from training.voices.phrase_speakers import (
    OTHER_SHARES,
    PHRASE_SHARES,
    divide,
    draw_phrase_speakers,
)
from training.voices.sound import SAMPLE_RATE, add_noise, write_wav
from training.voices.speakers import Speaker
from training.voices.synthesis import speak
from training.voices.worker_threads import worker_threads

QUIET = 0.1  # seconds before and after the speech
TEXT_ENGINES = ("flite", "festival")  # they take no phonemes
LETTER_SECONDS = 0.025, 0.3  # a voice that takes less or more for a letter has made a mistake


@dataclass(frozen=True)
class Turn:
    """What a speaker says.

    Attributes:
        speaker: who speaks.
        files: the file of each text, relative to the folder of clips.
        seed: of the noise under it.
    """

    speaker: Speaker
    files: dict[str, Path]
    seed: int


@dataclass(frozen=True)
class Texts:
    """What is spoken on one side, and how often.

    Attributes:
        phrases: clips of each phrase.
        others: clips of each text that becomes "unknown".
    """

    phrases: dict[str, int]
    others: dict[str, int]


def plan_turns(
    side: str, voices: Mapping[str, Sequence[str]], texts: Texts, seed: int
) -> list[Turn]:
    """Deal texts to speakers.

    Args:
        side: "training" or "held-out".
        voices: the installed voices by engine; see `phrase_speakers.installed_voices`.
        texts: what is spoken. Only engines that take phonemes say texts in double brackets.
        seed: seed of all random choices.
    """
    phrases = divide(texts.phrases, PHRASE_SHARES[side], voices)
    words = {text: n for text, n in texts.others.items() if not text.startswith("[[")}
    sounds = {text: n for text, n in texts.others.items() if text.startswith("[[")}
    others = divide(words, OTHER_SHARES[side], voices)
    altered = divide(sounds, OTHER_SHARES[side], [e for e in voices if e not in TEXT_ENGINES])
    turns = []
    for number, engine in enumerate(voices):
        rng = np.random.default_rng([seed, 5, number, len(side)])
        counts = {**phrases[engine], **others[engine], **altered.get(engine, {})}
        most = max(counts.values(), default=0)
        speakers = draw_phrase_speakers(engine, voices[engine], most, rng, blend=side == "training")
        for place, (speaker, own) in enumerate(
            zip(speakers, deal_words(counts, most), strict=True)
        ):
            files = {text: _file(speaker, text, texts, place) for text in own}
            turns.append(Turn(speaker, files, int(rng.integers(2**31))))
    return turns


def write_turns(folder: Path, turns: Sequence[Turn], title: str) -> int:
    """Write the clips of turns, 16 kHz PCM-16; those that are there already stay.

    Args:
        folder: where; the files are `<label>/<voice>_nohash_<settings>.wav` in it.
        turns: who says what.
        title: title of the progress bar.

    Returns:
        The number of clips that are missing: a voice made no sound of a text, or took an impossible
        time for it.

    Raises:
        SynthesisError: a synthesiser fails.
        OSError: a file cannot be written.
    """
    for label in {path.parent for turn in turns for path in turn.files.values()}:
        (folder / label).mkdir(parents=True, exist_ok=True)
        remove_unfinished(folder / label)
    total = sum(len(turn.files) for turn in turns)
    dropped = 0
    with worker_threads() as pool, tqdm(total=total, unit="clip", desc=title, disable=None) as bar:
        missing = [_missing(folder, turn) for turn in turns]
        bar.update(total - sum(len(turn.files) for turn in missing))
        for turn, sounds in zip(missing, pool.map(_speak, missing), strict=True):
            rng = np.random.default_rng(turn.seed)
            bar.update(len(turn.files))
            dropped += len(turn.files) - len(sounds)
            for text, sound in sounds:
                if has_plausible_length(turn.speaker, text, len(sound) / SAMPLE_RATE - 2 * QUIET):
                    _write(folder / turn.files[text], sound, rng)
                else:
                    dropped += 1
    return dropped


def has_plausible_length(speaker: Speaker, text: str, seconds: float) -> bool:
    """Return whether a text's speech has a length that the speaker can have meant."""
    letters = max(3, sum(map(str.isalnum, text)))
    usual = seconds / speaker.stretch * speaker.size
    return LETTER_SECONDS[0] <= usual / letters <= LETTER_SECONDS[1]


def _missing(folder: Path, turn: Turn) -> Turn:
    files = {text: path for text, path in turn.files.items() if not _is_written(folder / path)}
    return Turn(turn.speaker, files, turn.seed)


def _is_written(path: Path) -> bool:
    """Whether a clip is there; a power cut may have left an empty file."""
    return path.exists() and path.stat().st_size > 0


def _speak(turn: Turn) -> list[tuple[str, np.ndarray]]:
    if not turn.files:
        return []
    return speak(turn.speaker, turn.files, before=QUIET, after=QUIET, skip_silent=True)


def _write(path: Path, sound: np.ndarray, rng: np.random.Generator) -> None:
    noisy = add_noise(sound * db_to_amplitude(rng.uniform(-12, -1)), rng.uniform(-75, -50), rng)
    with replacing(path, durable=False) as unfinished:
        write_wav(unfinished, noisy, SAMPLE_RATE, "PCM_16")


def _file(speaker: Speaker, text: str, texts: Texts, place: int) -> Path:
    """The file of a text. The speaker in its name is the voice, whatever its settings are."""
    settings = speaker.name.removeprefix(f"{speaker.engine}-")
    if text in texts.phrases:
        return Path(text, f"{speaker.voice_name}_nohash_{settings}-{place}.wav")
    name = re.sub(r"[^\w]+", "-", text).strip("-")
    if text.startswith("[["):
        name = f"sounds{list(texts.others).index(text)}"
    return Path(UNKNOWN, f"{speaker.voice_name}_nohash_{name}-{place}.wav")


def listed(turns: Sequence[Turn], folder: Path) -> list[str]:
    """Return all clips in a folder by the voices of some turns, as lists of Speech Commands do.

    An interrupted run may have left others than those of the turns.
    """
    voices = {turn.speaker.voice_name for turn in turns}
    paths = sorted(folder.glob(f"*/*{SPEAKER_MARK}*.wav"))
    return [
        path.relative_to(folder).as_posix()
        for path in paths
        if path.name.partition(SPEAKER_MARK)[0] in voices
    ]
