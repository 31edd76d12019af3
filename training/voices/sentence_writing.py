"""Recordings of sentences: deal sentences to speakers, add faint noise, write them and a table."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from speechgru.atomic_files import remove_unfinished, replacing, write_text
from training.clips.levels import db_to_amplitude
from training.voices.errors import SynthesisError
from training.voices.sentence_speakers import SIDES, Voices, draw_sentence_speakers
from training.voices.sentence_table import TABLE, Row, read_table, table_text
from training.voices.sentences import Sentence, is_held_out
from training.voices.sound import SAMPLE_RATE, add_noise, write_wav
from training.voices.speakers import Speaker
from training.voices.synthesis import speak
from training.voices.worker_threads import worker_threads

TURN = 10  # sentences that a speaker says in one call of the synthesiser
QUIET_BEFORE, QUIET_AFTER = 0.2, 0.3  # seconds
LETTER_SECONDS = 0.025, 0.25  # a voice that takes less or more for a letter has made a mistake
TURNS_AHEAD = 4  # for each processor, so that none waits for a slow voice
BAR = "{percentage:3.0f}%|{bar}| {n:.2f} of {total:.2f} hours [{elapsed}<{remaining}]"


@dataclass(frozen=True)
class SentenceCounts:
    """What `write_sentences` made, together with what was there before."""

    recordings: int
    hours: float
    voices: int


@dataclass(frozen=True)
class _Turn:
    """A speaker and the sentences that it says in one call."""

    number: int
    speaker: Speaker
    sentences: list[Sentence]

    def speak(self) -> list[np.ndarray]:
        texts = [sentence.text for sentence in self.sentences]
        spoken = speak(self.speaker, texts, before=QUIET_BEFORE, after=QUIET_AFTER)
        return [sound for _, sound in spoken]

    def row(self, index: int, seconds: float) -> Row:
        number = self.number * TURN + index
        sentence, voice = self.sentences[index], self.speaker.voice_name
        file = f"{voice}_{number:06}.wav"
        return Row(
            file, self.speaker.name, voice, f"{seconds:.2f}", sentence.licence, sentence.text
        )


def write_sentences(
    out_dir: Path,
    hours: float,
    side: str,
    sentences: Sequence[Sentence],
    seed: int,
    *,
    voices: Voices | None = None,
) -> SentenceCounts:
    """Write recordings of sentences, 16 kHz PCM-16, and their table.

    The recordings are ``out_dir/<voice>_<number>.wav``. In the table, ``sentences.tsv``, the source
    is the voice with its settings. Both grow while the sentences are spoken. If `out_dir` holds
    recordings made with the same arguments but `hours`, they are continued: so is an interrupted
    run.

    Args:
        out_dir: folder that does not exist, is empty, or was made by this function.
        hours: hours of recordings, at least: the last speaker may finish.
        side: "training" or "held-out": who speaks. The two sides share neither voices nor
            sentences.
        sentences: what `sentences.read_sentences` returns, or others.
        seed: seed of all random choices.
        voices: the voices, which are installed. Default: all of the side.

    Raises:
        SynthesisError: there are too few sentences, or `out_dir` holds other files.
        OSError: `out_dir` cannot be written to.
    """
    rows = read_table(out_dir)
    voices = voices or SIDES[side]
    sentences = [s for s in sentences if is_held_out(s) == (side == "held-out")]
    if len(sentences) < TURN:
        raise SynthesisError(f"expected {TURN} sentences for {side} voices, found {len(sentences)}")
    turns = _deal(sentences, voices, seed)
    _skip_written(turns, rows, out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    remove_unfinished(out_dir)
    spoken_hours = sum(row.hours for row in rows)
    with (
        worker_threads() as pool,
        tqdm(total=hours, initial=spoken_hours, disable=None, bar_format=BAR) as bar,
    ):
        speech = _speak_in_order(pool, turns)
        while spoken_hours < hours:
            written = _write_turn(out_dir, *next(speech), seed)
            rows += written
            write_text(out_dir / TABLE, table_text(rows))
            added = sum(row.hours for row in written)
            spoken_hours += added
            bar.update(added)
    return SentenceCounts(len(rows), spoken_hours, len({row.speaker for row in rows}))


def _deal(sentences: Sequence[Sentence], voices: Voices, seed: int) -> Iterator[_Turn]:
    """Yield turns without end; every sentence is said once before any is said again."""
    rng = np.random.default_rng([seed, 3])
    number = 0
    speakers = draw_sentence_speakers(voices, seed)
    while True:
        order = rng.permutation(len(sentences))
        for start in range(0, len(order) - TURN + 1, TURN):
            chosen = [sentences[i] for i in order[start : start + TURN]]
            yield _Turn(number, next(speakers), chosen)
            number += 1


def _skip_written(turns: Iterator[_Turn], rows: Sequence[Row], out_dir: Path) -> None:
    """Take the turns whose recordings are in the table, and check that they are the same."""
    last = rows[-1].number // TURN if rows else -1
    planned = {}
    for _ in range(last + 1):
        turn = next(turns)
        for index in range(TURN):
            row = turn.row(index, 0.0)
            planned[row.file] = row
    for row in rows:
        plan = planned.get(row.file)
        if plan is None or (plan.source, plan.transcript) != (row.source, row.transcript):
            raise SynthesisError(
                f"{out_dir}: expected a new folder, or one made with the same voices, text and "
                f"seed, found {row.file} with another sentence or speaker"
            )


def _speak_in_order(
    pool: ThreadPoolExecutor, turns: Iterator[_Turn]
) -> Iterator[tuple[_Turn, list[np.ndarray]]]:
    """Yield the speech of the turns in their order; a few turns are spoken ahead."""
    ahead: deque[tuple[_Turn, Future[list[np.ndarray]]]] = deque()
    for turn in turns:
        ahead.append((turn, pool.submit(turn.speak)))
        if len(ahead) > TURNS_AHEAD * (os.cpu_count() or 1):
            done, speech = ahead.popleft()
            yield done, speech.result()


def _write_turn(out_dir: Path, turn: _Turn, speech: list[np.ndarray], seed: int) -> list[Row]:
    """Write the recordings of a turn at usual levels in faint noise; return their rows."""
    rng = np.random.default_rng([seed, 4, turn.number])
    rows = []
    for index, sound in enumerate(speech):
        noisy = sound * db_to_amplitude(rng.uniform(-12, -1))
        noisy = add_noise(noisy, rng.uniform(-75, -50), rng)
        seconds = len(noisy) / SAMPLE_RATE
        if has_plausible_length(turn.speaker, turn.sentences[index].text, seconds):
            rows.append(turn.row(index, seconds))
            with replacing(out_dir / rows[-1].file) as unfinished:
                write_wav(unfinished, noisy, SAMPLE_RATE, "PCM_16")
    return rows


def has_plausible_length(speaker: Speaker, text: str, seconds: float) -> bool:
    """Return whether a sentence's recording has a length that the speaker can have meant."""
    letters = sum(map(str.isalpha, text))
    speech = (seconds - QUIET_BEFORE - QUIET_AFTER) / speaker.stretch * speaker.size
    return LETTER_SECONDS[0] <= speech / letters <= LETTER_SECONDS[1]
