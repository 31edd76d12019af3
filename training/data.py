"""A data folder -> a task: labels, rows of clips to draw from, noise, a validation set."""

import dataclasses
import math
import operator
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.signal

from training.clips import (
    EXTENSIONS,
    FRAME,
    RATE,
    SILENCE,
    UNKNOWN,
    USUAL_WORDS,
    WINDOW,
    Clip,
    DataError,
    Reading,
    Samples,
    Split,
    choose_words,
    find_clips,
    find_recordings,
    loudness,
    official_set,
    printable,
    read_clips,
    split_clips,
    to_int16,
    warn_of_thin_words,
)

__all__ = [
    "EXTENSIONS",
    "RATE",
    "SILENCE",
    "UNKNOWN",
    "USUAL_WORDS",
    "WINDOW",
    "Clip",
    "DataError",
    "EvaluationSet",
    "Samples",
    "Split",
    "Task",
    "choose_words",
    "draw_batch",
    "evaluation_set",
    "find_clips",
    "held_out_noises",
    "make_task",
    "noise_rows",
    "official_set",
    "read_clips",
    "split_clips",
    "synthetic_noise",
]

NOISE_FOLDER = "_background_noise_"
NOISE_ROW = 160  # noise is stored in rows of 10 ms and read from any row on
HELD_OUT_NOISE = 0.2  # the end of every noise file is kept for validation
NEGATIVE_SHARE = 0.25  # of what is drawn as "unknown", where there is negative speech
QUIET = 10 ** (-50 / 20)  # a window of negative speech whose loud tenth is below holds no speech
MADE_UNKNOWN = 8_000  # words played backwards, and as many splices, at most: 256 MB each
CROSSFADE = RATE * 15 // 1000  # samples over which one word becomes another in a splice

Pool = tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]


@dataclasses.dataclass
class Task:
    """Everything a run learns from and is measured on.

    The same folders and the same seed give the same task, bit for bit.

    Attributes:
        labels: the commands, "unknown" and "silence".
        clips: all training clips, int16 (clips, WINDOW), row 0 silent.
        pools: for each label the rows to draw from and their probabilities.
        noise: float32 (rows, NOISE_ROW) at an RMS near 1: recorded and made noises.
        validation: the validation clips, int16 (n, WINDOW).
        answers: the numbers of their labels, int32 (n,).
        summary: the folders and what they gave.
        new_voices: no speaker is in both parts.
        lists: what the arrays hold, in their order, as text. "training" and "validation":
            `<word>/<file>` in the data folder; "negative" and "synthetic": files in those folders;
            "noise": `<folder>/<file>`; "training_unknown" and "validation_unknown": what is made
            of command words; "validation_silence":
            `<folder>/<file>@<first sample at 16 kHz>*<factor>`. The rows of `validation` are
            those of "validation", "validation_unknown" and "validation_silence", in this order.
        passed_over: path and reason of every file that is no use (see `clips.Reading`).
    """

    labels: tuple[str, ...]
    clips: Samples
    pools: list[Pool]
    noise: npt.NDArray[np.float32]
    validation: Samples
    answers: npt.NDArray[np.int32]
    summary: str
    new_voices: bool
    lists: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    passed_over: list[tuple[str, str]] = dataclasses.field(default_factory=list)


def make_task(
    data: Path,
    *,
    words: Sequence[str] | None,
    negative: Path | None,
    synthetic: Path | None,
    synthetic_weight: float,
    synthetic_share: float,
    seed: int,
    spliced_share: float = 0.0,
    noise: Path | None = None,
) -> Task:
    """Read a data folder and lay out what is drawn for each label.

    Validation holds all validation clips of the command words and, as the Speech Commands paper
    (arXiv:1804.03209) and its example have it, a tenth of that number each of unknown words and of
    silence: any second of a background noise, at any volume. Both are drawn by the seed.

    Every file is read once, and its samples go to their row of one array that is allocated at the
    start: 32 kB a clip, and a few hundred MB besides.

    Args:
        data: folder of `<word>/*.wav`, with `_background_noise_` and lists where it has them.
        words: command words; None to choose them, `["all"]` for every word folder.
        negative: folder of speech without commands, of any length, for "unknown"; or None.
        synthetic: folder of `<word>/*.wav` spoken by machines, used in training only; or None.
        synthetic_weight: how often a synthetic clip of a command is drawn, at the least, for each
            time a real one is.
        synthetic_share: the least share of synthetic clips in what is drawn of a label.
        seed: decides the draws.
        spliced_share: share of splices of two commands in what is drawn of "unknown", where there
            are recorded other words too; two commands with a letter in common are not joined.
            Default 0.
        noise: folder of noises, of any rate and length, besides `_background_noise_`. Default:
            None.

    Raises:
        DataError: the folder does not hold what a task needs.
    """
    found = find_clips(data)
    commands = choose_words(found, words)
    labels = (*commands, UNKNOWN, SILENCE)
    numbers = {label: number for number, label in enumerate(labels)}
    split = split_clips(data, found, commands=commands)
    # One stream of random numbers for each purpose: no choice moves another.
    streams = np.random.SeedSequence(seed).spawn(3)
    for_training, for_validation, for_noise = map(np.random.default_rng, streams)

    reading = Reading()
    noises = _read_noises(reading, data, noise)
    training = _training_rows(
        reading, data, split.training, commands, negative, synthetic, spliced_share, for_training
    )
    validation = _validation_rows(reading, data, split.validation, commands, noises, for_validation)
    reading.check()
    reading.show()
    warn_of_thin_words(commands, training.clips, validation.clips)
    pools = _pools(training, labels, data, synthetic_weight, synthetic_share, spliced_share)

    speech = training.filled[for_noise.choice(pools[numbers[UNKNOWN]][0], 400)]
    made_noises = synthetic_noise(speech, for_noise)
    return Task(
        labels=labels,
        clips=training.filled,
        pools=pools,
        noise=noise_rows([*(found.training for found in noises), *made_noises]),
        validation=validation.filled,
        answers=np.array([numbers.get(w, numbers[UNKNOWN]) for w in validation.words], np.int32),
        summary=_summary(training, data, negative, synthetic, noise, noises),
        new_voices=not {c.speaker for c in split.training} & {c.speaker for c in split.validation},
        lists={
            "training": training.names_of("recorded"),
            "training_unknown": training.names_of("backwards", "splice"),
            "negative": list(dict.fromkeys(training.names_of("negative"))),
            "synthetic": training.names_of("synthetic"),
            "noise": [found.name for found in noises],
            "validation": validation.names_of("recorded"),
            "validation_unknown": validation.names_of("backwards", "splice"),
            "validation_silence": validation.names_of("noise"),
        },
        passed_over=reading.passed_over,
    )


class EvaluationSet(NamedTuple):
    """What a model is measured on.

    Attributes:
        samples: int16 (n, WINDOW).
        words: the word of each clip; "unknown" where it was made, "silence" where it is noise.
        names: of each clip, as `Task.lists` has them.
        speakers: of each clip; "" where nobody speaks or the clip was made.
        noises: the ends of the data folder's noises, which training does not hear, int16.
    """

    samples: Samples
    words: list[str]
    names: list[str]
    speakers: list[str]
    noises: list[Samples]


def evaluation_set(
    data: Path, *, words: Sequence[str], split: Literal["validation", "testing"], seed: int
) -> EvaluationSet:
    """The validation clips that `make_task` gives without `noise`; testing clips are drawn alike.

    Only the clips of that part are read.

    Raises:
        DataError: the folder does not hold what is asked for.
    """
    found = find_clips(data)
    commands = choose_words(found, words)
    clips = getattr(split_clips(data, found, commands=commands), split)
    if not clips:
        raise DataError(f"{data}: expected clips in testing_list.txt, found none")
    reading = Reading()
    noises = _read_noises(reading, data, None)
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[1])
    rows = _validation_rows(reading, data, clips, commands, noises, rng)
    reading.check()
    reading.show()
    speakers = [clip.speaker for clip in rows.clips]
    speakers += [""] * (len(rows.names) - len(speakers))  # recorded clips come first
    return EvaluationSet(rows.filled, rows.words, rows.names, speakers, _held_out(noises))


def held_out_noises(data: Path) -> list[Samples]:
    """The ends of a data folder's noises, which training does not hear, int16."""
    reading = Reading()
    noises = _read_noises(reading, data, None)
    reading.check()
    reading.show()
    return _held_out(noises)


class _Rows:
    """Clips in one array that is allocated once: where each is from, its word and its name."""

    def __init__(self, size: int) -> None:
        self._array = np.empty((size, WINDOW), np.int16)
        self.origins: list[str] = []
        self.words: list[str] = []
        self.names: list[str] = []
        self.clips: list[Clip] = []  # those that are recorded

    @property
    def filled(self) -> Samples:
        return self._array[: len(self.names)]

    def names_of(self, *origins: str) -> list[str]:
        named = zip(self.origins, self.names, strict=True)
        return [name for origin, name in named if origin in origins]

    def add(self, origin: str, word: str, name: str, samples: Samples) -> None:
        self._array[len(self.names)] = samples
        self._note(origin, word, name)

    def read(
        self, origin: str, reading: Reading, clips: Sequence[Clip], what: str, folder: Path
    ) -> None:
        """Add clips from their files; see `Reading.clips` for the last two."""
        kept = reading.clips(clips, self._array[len(self.names) :], what, folder)
        for clip in kept:
            self._note(origin, clip.word, clip.key)
        if origin == "recorded":
            self.clips += kept

    def _note(self, origin: str, word: str, name: str) -> None:
        self.origins.append(origin)
        self.words.append(word)
        self.names.append(printable(name))

    def make_unknown(self, backwards: int, splices: int, rng: np.random.Generator) -> None:
        """Add recorded words played backwards, and splices of them."""
        rows = np.array(
            [
                i
                for i, of in enumerate(self.origins)
                if of == "recorded" and self.words[i] != SILENCE
            ]
        )
        for row in sorted(rng.permutation(rows)[:backwards]):
            self.add("backwards", UNKNOWN, f"{self.names[row]} backwards", self._array[row, ::-1])
        self._make_splices(rows, splices, operator.ne, rng)

    def splice_commands(
        self, commands: Collection[str], splices: int, rng: np.random.Generator
    ) -> None:
        """Add splices of recorded commands with no letter in common.

        Half of "no" and half of "go" can make a "no" or a "go" again, and half of "stop" and half
        of "up" a "stop" or an "up".
        """
        rows = np.array(
            [
                i
                for i, of in enumerate(self.origins)
                if of == "recorded" and self.words[i] in commands
            ]
        )
        self._make_splices(rows, splices, letters_differ, rng)

    def _make_splices(
        self,
        rows: npt.NDArray[np.int_],
        splices: int,
        differ: Callable[[str, str], bool],
        rng: np.random.Generator,
    ) -> None:
        """Add joins of the first half of one word and the second half of another, which differs."""
        splices *= any(differ(*pair) for pair in combinations({self.words[i] for i in rows}, 2))
        middles: dict[int, int] = {}
        for _ in range(splices):
            pair = rng.choice(rows, 2)
            while not differ(self.words[pair[0]], self.words[pair[1]]):
                pair = rng.choice(rows, 2)
            for row in pair:
                if row not in middles:
                    middles[row] = middle_of_sound(self._array[row])
            second, first = sorted(pair, key=middles.__getitem__)
            spliced = splice(
                self._array[first], self._array[second], middles[first], middles[second]
            )
            self.add("splice", UNKNOWN, f"{self.names[first]}+{self.names[second]}", spliced)


def letters_differ(one: str, other: str) -> bool:
    """Whether two words have no letter in common."""
    return not set(one.casefold()) & set(other.casefold())


# What is learnt


def _training_rows(
    reading: Reading,
    data: Path,
    clips: Sequence[Clip],
    commands: Sequence[str],
    negative: Path | None,
    synthetic: Path | None,
    spliced_share: float,
    rng: np.random.Generator,
) -> _Rows:
    """Row 0 silent, then the recorded clips, negative speech, synthetic and made clips."""
    recordings = _read_negative(reading, negative) if negative is not None else []
    spoken = find_clips(synthetic) if synthetic is not None else []
    known = {*commands, SILENCE}
    unknown_is_made = negative is None and all(c.word in known for c in (*clips, *spoken))
    backwards = min(len(clips), MADE_UNKNOWN) if unknown_is_made else 0
    splices = backwards if len(commands) > 1 else 0
    if spliced_share and not unknown_is_made:
        splices = min(len(clips), MADE_UNKNOWN) // 2
    windows = sum(len(recording.starts) for recording in recordings)
    rows = _Rows(1 + len(clips) + windows + len(spoken) + backwards + splices)
    rows.add("silent", SILENCE, "", np.zeros(WINDOW, np.int16))
    rows.read("recorded", reading, clips, "training clips", data)
    for name, samples, starts in recordings:
        for start in starts:
            window = samples[start : start + WINDOW]
            rows.add("negative", UNKNOWN, name, np.pad(window, (0, WINDOW - window.size)))
    if synthetic is not None:
        rows.read("synthetic", reading, spoken, "synthetic clips", synthetic)
    if unknown_is_made:
        rows.make_unknown(backwards, splices, rng)
        how = "words played backwards"
        if splices:
            how += " and from splices (the first half of one word, the second of another)"
        print(f'no speech without commands: "{UNKNOWN}" is learnt from {how}')
    else:
        rows.splice_commands(commands, splices, rng)
    return rows


class _Recording(NamedTuple):
    """A recording of negative speech and where its windows of one second begin."""

    name: str
    samples: Samples
    starts: list[int]


def _read_negative(reading: Reading, folder: Path) -> list[_Recording]:
    """Recordings of any length under a folder, in windows of one second with half overlap.

    Windows without speech, those whose loud tenth is below -50 dBFS, are left out, and so are
    recordings that have no other.

    Raises:
        DataError: no such folder or no speech in it.
    """
    paths = find_recordings(folder)
    recordings = []
    for number, samples in reading.each(paths, to_int16, folder.name, folder):
        count = max(1, 2 * samples.size // WINDOW - 1)
        starts = [n * WINDOW // 2 for n in range(count)]
        starts = [start for start in starts if _has_speech(samples[start : start + WINDOW])]
        if starts:
            name = printable(paths[number].relative_to(folder).as_posix())
            recordings.append(_Recording(name, samples, starts))
    if not recordings:
        reading.check()
        raise DataError(f"{folder}: expected sound files with speech, found none")
    return recordings


def _has_speech(window: Samples) -> bool:
    padded = np.pad(window, (0, WINDOW - window.size)).reshape(100, -1)
    power = np.square(padded / 32768).mean(axis=1)
    return bool(np.quantile(power, 0.9) >= QUIET**2)


def _pools(
    rows: _Rows,
    labels: Sequence[str],
    data: Path,
    synthetic_weight: float,
    synthetic_share: float,
    spliced_share: float,
) -> list[Pool]:
    """For each label its rows and how probable each is.

    Raises:
        DataError: a label has no rows.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    origins = np.array(rows.origins)
    answers = np.array([numbers.get(word, numbers[UNKNOWN]) for word in rows.words])
    # A word outside the task counts with the root of its clips: rare words are heard as well.
    named = list(zip(rows.origins, rows.words, strict=True))
    clips_of = Counter(named)
    weights = np.array(
        [
            1.0 if word in numbers or of == "synthetic" else clips_of[of, word] ** -0.5
            for of, word in named
        ]
    )
    pools = []
    for number, label in enumerate(labels):
        own = np.flatnonzero(answers == number).astype(np.int32)
        if not own.size:
            raise DataError(f"{data}: no training clips of {label!r}")
        count = Counter(origins[own].tolist())
        shares = dict.fromkeys(count, 1.0) | {"synthetic": synthetic_share}
        if label == UNKNOWN:
            shares["negative"] = NEGATIVE_SHARE
            if not count["backwards"]:
                shares["splice"] = spliced_share
        elif count["synthetic"]:
            heard = synthetic_weight * count["synthetic"]
            shares["synthetic"] = max(synthetic_share, heard / (heard + count["recorded"]))
        if count["recorded"]:
            others = count.keys() & {"negative", "splice", "synthetic"}
            shares["recorded"] -= sum(shares[of] for of in others)
        pools.append((own, _probabilities(origins[own], weights[own], shares)))
    return pools


def _probabilities(
    origin: npt.NDArray[np.str_], weights: npt.NDArray[np.float64], shares: dict[str, float]
) -> npt.NDArray[np.float64]:
    """Weights scaled so that each origin has its share of the draws, float64 (n,), sum 1."""
    scaled = weights.copy()
    for of in np.unique(origin):
        scaled[origin == of] *= shares[of] / weights[origin == of].sum()
    return scaled / scaled.sum()


def _summary(
    rows: _Rows,
    data: Path,
    negative: Path | None,
    synthetic: Path | None,
    noise: Path | None,
    noises: Sequence["_Noise"],
) -> str:
    count = Counter(rows.origins)
    sources = (("recorded", data), ("negative", negative), ("synthetic", synthetic))
    given = [f"{count[of]:,} clips of {folder.name}" for of, folder in sources if folder]
    if noise is not None:
        given.append(f"{sum(found.folder == noise for found in noises):,} noises of {noise.name}")
    return ", ".join(given)


# What is measured


def _validation_rows(
    reading: Reading,
    data: Path,
    clips: Sequence[Clip],
    commands: Sequence[str],
    noises: Sequence["_Noise"],
    rng: np.random.Generator,
) -> _Rows:
    """All clips of commands, and for each ten of them one unknown word and one silence.

    Where there are no other words, unknown is words played backwards and splices, half and half.
    """
    ours = [clip for clip in clips if clip.word in commands]
    others = [clip for clip in clips if clip.word not in (*commands, SILENCE)]
    tenth = math.ceil(0.1 * len(ours))
    chosen = sorted(rng.permutation(len(others))[:tenth])
    rows = _Rows(len(ours) + 2 * tenth)
    read = [*ours, *(others[i] for i in chosen)]
    rows.read("recorded", reading, read, "validation clips", data)
    if not rows.clips:
        reading.check()
        raise DataError(f"{data}: expected clips to validate on, found none with sound")
    if not others:
        splices = tenth // 2 if len({clip.word for clip in rows.clips}) > 1 else 0
        rows.make_unknown(tenth - splices, splices, rng)
    pieces = [found for found in noises if found.held_out.size]
    pieces = pieces or [
        _Noise(data, f"made noise {number}", to_int16(0.05 * made / made.std()), 0)
        for number, made in enumerate(synthetic_noise(rows.filled, rng, seconds=2))
    ]
    for _ in range(tenth):
        piece = pieces[rng.integers(len(pieces))]
        start = int(rng.integers(piece.kept, piece.samples.size - WINDOW + 1))
        level = round(rng.uniform(0, 1), 6)
        name = f"{piece.name}@{start}*{level:.6f}"
        window = np.round(piece.samples[start : start + WINDOW] * level)
        rows.add("noise", SILENCE, name, window.astype(np.int16))
    return rows


# Noise


class _Noise(NamedTuple):
    """A noise: its folder and name, int16 samples and where the part for validation begins."""

    folder: Path
    name: str
    samples: Samples
    kept: int

    @property
    def training(self) -> Samples:
        return self.samples[: self.kept]

    @property
    def held_out(self) -> Samples:
        return self.samples[self.kept :]


def _read_noises(reading: Reading, data: Path, added: Path | None) -> list[_Noise]:
    """The noises of a data folder and of another folder; each file once.

    The last fifth of every recording is for validation, if that is a second or more.

    Raises:
        DataError: no noise in the other folder.
    """
    noises: list[_Noise] = []
    seen: set[Path] = set()
    for folder, owner in ((data / NOISE_FOLDER, data), (added, added)):
        if folder is None or owner is None:
            continue
        paths = find_recordings(folder)
        if not paths and folder is added:
            raise DataError(f"{folder}: expected a folder of noise recordings, found none")
        paths = [path for path in paths if path.resolve() not in seen]
        seen |= {path.resolve() for path in paths}
        before = len(noises)
        for number, samples in reading.each(paths, to_int16, folder.name, owner):
            name = f"{folder.name}/{paths[number].relative_to(folder).as_posix()}"
            held_out = int(samples.size * HELD_OUT_NOISE)
            kept = samples.size - (held_out if held_out >= WINDOW else 0)
            noises.append(_Noise(folder, printable(name), samples, kept))
        if paths and folder is added and len(noises) == before:
            reading.check()
            raise DataError(f"{folder}: expected noise recordings, found none with sound")
    return noises


def _held_out(noises: Sequence[_Noise]) -> list[Samples]:
    return [noise.held_out for noise in noises if noise.held_out.size]


def synthetic_noise(
    speech: Samples, rng: np.random.Generator, seconds: int = 12
) -> list[npt.NDArray[np.float64]]:
    """Noises that no recording gives: coloured and fluctuating noise, hum, clicks, babble, events.

    Args:
        speech: clips to make babble of, int16 (n, WINDOW).
        rng: source of all choices.
        seconds: length of each noise.
    """
    size = seconds * RATE
    time = np.arange(size) / RATE
    frequency = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 20)
    noises = []
    for _ in range(24):
        slope = rng.uniform(-1.2, 0.3)  # amplitude ~ f^slope: brown to a little blue
        bump = 1 + rng.uniform(0, 8) * np.exp(
            -((np.log2(frequency / rng.uniform(80, 6000)) / rng.uniform(0.1, 1)) ** 2)
        )
        shape = frequency**slope * bump
        noise = np.fft.irfft(np.fft.rfft(rng.normal(size=size)) * shape, size)
        if rng.random() < 0.5:  # loud and soft by turns, as machines and streets are
            slow = np.interp(
                time, np.arange(0, seconds + 1, 0.25), rng.normal(size=4 * seconds + 4)
            )
            noise *= 10 ** (slow * 8 / 20)
        noises.append(noise)
    for _ in range(6):
        base = rng.choice([50, 60, rng.uniform(80, 400)])
        hum = sum(
            rng.random() / k * np.sin(2 * np.pi * (k * base * time + rng.random()))
            for k in range(1, 20)
        )
        noises.append(hum + 0.05 * rng.normal(size=size))
    for _ in range(4):
        hits = (rng.random(size) < rng.uniform(2, 20) / RATE) * rng.exponential(size=size)
        ring = np.exp(-np.arange(2000) / rng.uniform(20, 400)) * rng.normal(size=2000)
        noises.append(scipy.signal.fftconvolve(hits, ring)[:size] + 1e-3 * rng.normal(size=size))
    for _ in range(10):
        voices = rng.integers(4, 10)
        picks = speech[rng.integers(len(speech), size=(voices, seconds))]
        noises.append(picks.reshape(voices, -1).astype(np.float64).sum(axis=0))
    for _ in range(40):
        noise = 1e-3 * rng.normal(size=size)
        for _ in range(3 * seconds):
            sound = _event(rng)[: size // 2]
            start = rng.integers(size - sound.size)
            noise[start : start + sound.size] += sound * 10 ** (rng.uniform(-20, 0) / 20)
        noises.append(noise)
    return noises


def _event(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A sound of 0.05 to 1.2 s that is no speech: a call, a whistle, a bell or a bang, in a body.

    A sum of partials of one gliding and trembling pitch, or of none that fit together, or noise;
    then a resonance, and an attack and a decay.
    """
    size = int(RATE * 0.05 * 24 ** rng.random())
    time = np.arange(size) / RATE
    kind = rng.choice(["call", "whistle", "bell", "bang"])
    if kind == "bang":
        sound = rng.normal(size=size)
    else:
        pitch = 80 * 2 ** rng.uniform(0, 3.5) if kind == "call" else 300 * 2 ** rng.uniform(0, 3.5)
        glide = 2 ** np.interp(np.linspace(0, 3, size), range(4), rng.normal(size=4) * 0.4)
        tremble = 1 + rng.uniform(0, 0.05) * np.sin(2 * np.pi * rng.uniform(3, 40) * time)
        course = np.ones(size) if kind == "bell" else glide * tremble
        phase = 2 * np.pi * np.cumsum(pitch * course) / RATE
        count = 1 + int(rng.integers(3)) if kind == "whistle" else int(rng.integers(4, 24))
        partials = np.arange(1, count + 1, dtype=float)
        if kind == "bell":
            partials[1:] = 1 + rng.uniform(0, 7, size=count - 1)
        partials = partials[partials * pitch * 1.5 < RATE / 2]
        fall = rng.uniform(0, 1.5)
        sound = sum((p**-fall * np.sin(p * phase + 7 * p) for p in partials), 0.0 * time)
    if rng.random() < 0.7:
        centre, q = 200 * 2 ** rng.uniform(0, 4.5), rng.uniform(0.7, 8)
        sound = sound + 4 * scipy.signal.lfilter(*scipy.signal.iirpeak(centre, q, fs=RATE), sound)
    attack, decay = 0.002 * 50 ** rng.random(), 0.03 * 30 ** rng.random()
    envelope = (
        np.minimum(time / attack, 1)
        * np.exp(-time / decay)
        * np.minimum((time[-1] - time) / 0.005, 1)
    )
    if rng.random() < 0.3:  # a rattle
        envelope *= 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(8, 60) * time)
    sound = sound * envelope
    return sound / max(float(np.abs(sound).max()), 1e-9)


def noise_rows(noises: Iterable[npt.NDArray[np.generic]]) -> npt.NDArray[np.float32]:
    """Noises at an RMS of 1 one after another, float32 (rows, NOISE_ROW)."""
    noises = list(noises)
    joined = np.empty(sum(noise.size for noise in noises), np.float32)
    filled = 0
    for noise in noises:
        level = math.sqrt(_power(noise))
        if level > 0:
            np.divide(noise, level, out=joined[filled : filled + noise.size], casting="same_kind")
            filled += noise.size
    return joined[: filled // NOISE_ROW * NOISE_ROW].reshape(-1, NOISE_ROW)


def _power(samples: npt.NDArray[np.generic]) -> float:
    """Mean square, a minute at a time: hours of noise are never held as float64."""
    minutes = (samples[start : start + 60 * RATE] for start in range(0, samples.size, 60 * RATE))
    return sum(float(np.square(m, dtype=np.float64).sum()) for m in minutes) / max(1, samples.size)


# Drawing and making clips


def middle_of_sound(clip: Samples) -> int:
    """The sample before which half of a clip's sound is (see `loudness`), not at its very ends."""
    level = np.cumsum(loudness(clip))
    middle = WINDOW // 2
    if level[-1]:
        middle = int((np.searchsorted(level, level[-1] / 2) + 0.5) * FRAME)
    return min(max(middle, CROSSFADE), WINDOW - CROSSFADE)


def splice(first: Samples, second: Samples, middle: int, earlier: int) -> Samples:
    """The first half of one clip and the second half of another, crossfaded over 15 ms.

    Args:
        first: int16 (WINDOW,).
        second: int16 (WINDOW,).
        middle: where the halves of `first` meet.
        earlier: where those of `second` do, not after `middle`: then both, shifted so that they
            meet between the two places, reach the ends of the window.

    Returns:
        int16 (WINDOW,).
    """
    meet = (middle + earlier) // 2
    fade = np.clip((np.arange(WINDOW) - meet) / CROSSFADE + 0.5, 0, 1)
    before = np.pad(first[middle - meet :], (0, middle - meet))
    after = np.pad(second[: WINDOW - meet + earlier], (meet - earlier, 0))
    return np.round(before * (1 - fade) + after * fade).astype(np.int16)


def label_shares(labels: int, unknown_share: float, silence_share: float) -> list[float]:
    """How often each label is drawn: commands alike, then unknown and silence."""
    commands = labels - 2
    share = (1 - unknown_share - silence_share) / commands
    return [share] * commands + [unknown_share, silence_share]


def draw_batch(
    task: Task, size: int, unknown_share: float, silence_share: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Rows of `task.clips` and their labels: commands alike often, int32 (size,) each."""
    shares = label_shares(len(task.labels), unknown_share, silence_share)
    answers = rng.choice(len(task.labels), size, p=shares).astype(np.int32)
    rows = np.empty(size, np.int32)
    for number in np.unique(answers):
        places = answers == number
        pool, weights = task.pools[number]
        rows[places] = rng.choice(pool, int(places.sum()), p=weights)
    return rows, answers
