"""Clips on disk -> a task: labels, a speaker-disjoint split and arrays of samples."""

import dataclasses
import hashlib
import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.signal
from tqdm import tqdm

from speechgru import audio
from speechgru.recognizer import NOT_COMMANDS

USUAL_WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
UNKNOWN, SILENCE = NOT_COMMANDS
NOISE_FOLDER = "_background_noise_"
EXTENSIONS = {".wav", ".flac", ".ogg", ".mp3"}
RATE = audio.SAMPLE_RATE
WINDOW = RATE  # a clip is one second
NOISE_ROW = 160  # noise is stored in rows of 10 ms and read from any row on
HELD_OUT_NOISE = 0.2  # the end of every noise file is kept for validation
NEGATIVE_SHARE = 0.25  # of what is drawn as "unknown", where there is negative speech
QUIET = 10 ** (-50 / 20)  # a window of negative speech whose loud tenth is below holds no speech

Samples = npt.NDArray[np.int16]


class DataError(ValueError):
    """A data folder that cannot be trained on; the message says why."""


@dataclasses.dataclass(frozen=True)
class Clip:
    """One file: the word of its folder and its speaker."""

    path: Path
    word: str
    speaker: str

    @property
    def key(self) -> str:
        """What the lists of Speech Commands call the clip: `<word>/<file name>`."""
        return f"{self.word}/{self.path.name}"


@dataclasses.dataclass(frozen=True)
class Split:
    """Clips of the training and of the validation speakers."""

    training: list[Clip]
    validation: list[Clip]


@dataclasses.dataclass
class Task:
    """Everything a run learns from and is measured on.

    `clips` holds all training clips, int16 (clips, WINDOW), its row 0 silent. `pools` gives for
    each label the rows to draw from and their probabilities. `noise` is float32
    (rows, NOISE_ROW) at an RMS near 1. `validation` and `answers` are the validation clips, int16,
    and the numbers of their labels. `summary` names the folders and what they gave; `new_voices`
    says that no speaker is in both parts.
    """

    labels: tuple[str, ...]
    clips: Samples
    pools: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]]
    noise: npt.NDArray[np.float32]
    validation: Samples
    answers: npt.NDArray[np.int32]
    summary: str
    new_voices: bool


def find_clips(folder: Path) -> list[Clip]:
    """All clips of a `<word>/*.wav` folder, sorted; folders that begin with "_" or "." are passed.

    The speaker is the part of the file name before `_nohash_` (Speech Commands), else before its
    last underscore unless that is the word; else the whole stem.

    Raises:
        DataError: no such folder, or no word folder with a sound file in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of <word>/*.wav, found none")
    clips = [
        Clip(path, word.name, _speaker(path.stem, word.name))
        for word in sorted(folder.iterdir())
        if word.is_dir() and not word.name.startswith(("_", "."))
        for path in sorted(word.iterdir())
        if path.suffix.lower() in EXTENSIONS
    ]
    if not clips:
        inside = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
        raise DataError(f"{folder}: expected folders <word>/*.wav, found {inside}")
    return clips


def _speaker(stem: str, word: str) -> str:
    for mark in ("_nohash_", "_"):
        name, found, _ = stem.rpartition(mark)
        if found and name != word:
            return name
    return stem


def choose_words(clips: Sequence[Clip], words: Sequence[str] | None) -> tuple[str, ...]:
    """The command words: those asked for, else the ten usual ones if all are there, else all.

    Raises:
        DataError: a word asked for has no folder, or fewer than one word is left.
    """
    present = sorted({clip.word for clip in clips} - {UNKNOWN, SILENCE})
    if words is None:
        chosen = USUAL_WORDS if set(USUAL_WORDS) <= set(present) else tuple(present)
    else:
        chosen = tuple(dict.fromkeys(words))
        missing = [word for word in chosen if word not in present]
        if missing:
            raise DataError(
                f"no clips of {', '.join(missing)}; there are clips of {', '.join(present)}"
            )
    if not chosen:
        raise DataError("expected at least one word folder besides unknown and silence")
    return chosen


def split_clips(folder: Path, clips: Sequence[Clip], share: float = 0.1) -> Split:
    """Training and validation clips with no speaker in both.

    `validation_list.txt` and `testing_list.txt` decide where they are (testing clips take no part
    here). Without a validation list, speakers are taken in the order of the SHA-1 of their names
    until `share` of the clips is validation; a speaker of more than half of the clips, or without
    whom a word would be lost to training, is not taken.

    Raises:
        DataError: nothing is left to train or to validate on, or a list is no text.
    """
    held_out = _read_list(folder / "testing_list.txt")
    listed = _read_list(folder / "validation_list.txt")
    clips = [clip for clip in clips if clip.key not in held_out]
    if listed:
        validation = [clip for clip in clips if clip.key in listed]
        training = [clip for clip in clips if clip.key not in listed]
        shared = {c.speaker for c in training} & {c.speaker for c in validation}
        if shared:
            _warn(f"{len(shared)} speakers of {folder} are in training and validation alike")
    else:
        speakers = _validation_speakers(clips, share)
        validation = [clip for clip in clips if clip.speaker in speakers]
        training = [clip for clip in clips if clip.speaker not in speakers]
        if not speakers:
            _warn(f"{folder} has too few speakers: every tenth clip is validation, not a new voice")
            validation, training = clips[::10], [c for i, c in enumerate(clips) if i % 10]
    if not training or not validation:
        raise DataError(
            f"{folder}: {len(training)} clips to train and {len(validation)} to validate on; "
            "expected some of each"
        )
    return Split(training, validation)


def _read_list(path: Path) -> set[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    except ValueError as error:
        raise DataError(f"{path}: expected a list of clips, found {error}") from error
    return {line.strip() for line in lines} - {""}


def _validation_speakers(clips: Sequence[Clip], share: float) -> set[str]:
    of_speaker: dict[str, Counter[str]] = {}
    for clip in clips:
        of_speaker.setdefault(clip.speaker, Counter())[clip.word] += 1
    left = Counter(clip.word for clip in clips)
    chosen: set[str] = set()
    for speaker in sorted(of_speaker, key=lambda name: hashlib.sha1(name.encode()).hexdigest()):
        if left.total() <= (1 - share) * len(clips):
            break
        own = of_speaker[speaker]
        if own.total() <= len(clips) / 2 and all(left[word] > own[word] for word in own):
            left -= own
            chosen.add(speaker)
    return chosen


def read_clips(clips: Sequence[Clip], what: str) -> tuple[Samples, list[Clip]]:
    """Read clips as windows of one second, int16 (n, WINDOW), and the clips that could be read.

    Shorter clips are padded with zeros on both sides, longer ones cut around their loudest second.
    Files that cannot be read are named on stderr and passed over.

    Raises:
        DataError: more than 5 % of the files cannot be read.
    """
    out = np.zeros((len(clips), WINDOW), np.int16)

    def read(row: int) -> str | None:
        try:
            samples = audio.load(clips[row].path)
        except (audio.AudioError, OSError) as error:
            return str(error)
        out[row] = _to_int16(_one_second(samples))
        return None

    with ThreadPoolExecutor() as pool:
        rows = tqdm(pool.map(read, range(len(clips))), what, len(clips), **_bar())
        errors = list(rows)
    failed = [error for error in errors if error]
    for error in failed:
        _warn(f"passed over: {error}")
    if len(failed) > 0.05 * len(clips):
        raise DataError(f"{len(failed)} of {len(clips)} files could not be read ({failed[0]})")
    good = np.array([error is None for error in errors], bool)
    return out[good], [clip for clip, error in zip(clips, errors, strict=True) if error is None]


def read_windows(folder: Path) -> Samples:
    """Recordings of any length under a folder, cut into windows of one second with half overlap.

    Windows without speech, those whose loud tenth is below -50 dBFS, are left out.

    Raises:
        DataError: no such folder or no speech in it.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in EXTENSIONS)
    windows = []
    for path in tqdm(paths, folder.name, **_bar()):
        try:
            samples = _to_int16(audio.load(path))
        except (audio.AudioError, OSError) as error:
            _warn(f"passed over: {error}")
            continue
        count = max(1, 2 * samples.size // WINDOW - 1)
        samples = np.pad(samples, (0, max(0, WINDOW - samples.size)))
        cut = np.stack([samples[i * WINDOW // 2 :][:WINDOW] for i in range(count)])
        power = np.square(cut.reshape(count, 100, -1) / 32768).mean(axis=2)
        windows += list(cut[np.quantile(power, 0.9, axis=1) >= QUIET**2])
    if not windows:
        raise DataError(f"{folder}: expected sound files with speech, found none")
    return np.stack(windows)


def make_task(
    data: Path,
    *,
    words: Sequence[str] | None,
    negative: Path | None,
    synthetic: Path | None,
    synthetic_weight: float,
    synthetic_share: float,
    seed: int,
) -> Task:
    """Read a data folder and lay out what is drawn for each label.

    Validation holds all validation clips of the command words and, as the Speech Commands paper
    has it, a tenth of that number each of unknown words and of silence (drawn by the seed).

    Args:
        data: folder of `<word>/*.wav`, with `_background_noise_` and lists where it has them.
        words: command words, or None to choose them.
        negative: folder of speech without commands, for "unknown"; or None.
        synthetic: folder of `<word>/*.wav` spoken by machines, used in training only; or None.
        synthetic_weight: how often a synthetic clip of a command is drawn, at the least, for each
            time a real one is.
        synthetic_share: the least share of synthetic clips in what is drawn of a label.
        seed: decides the draws.

    Raises:
        DataError: the folder does not hold what a task needs.
    """
    rng = np.random.default_rng(seed)
    clips = find_clips(data)
    commands = choose_words(clips, words)
    labels = (*commands, UNKNOWN, SILENCE)
    numbers = {label: number for number, label in enumerate(labels)}
    split = split_clips(data, clips)

    recorded, kept = read_clips(split.training, "training clips")
    sources = {
        "silent": (np.zeros((1, WINDOW), np.int16), [SILENCE]),
        "recorded": (recorded, [clip.word for clip in kept]),
    }
    if negative is not None:
        windows = read_windows(negative)
        sources["negative"] = windows, [UNKNOWN] * len(windows)
    if synthetic is not None:
        spoken, names = read_clips(find_clips(synthetic), "synthetic clips")
        sources["synthetic"] = spoken, [clip.word for clip in names]
    summary = [
        f"{len(sources[of][0]):,} clips of {folder.name}"
        for of, folder in (("recorded", data), ("negative", negative), ("synthetic", synthetic))
        if folder is not None
    ]
    if all(word in numbers and word != UNKNOWN for _, words in sources.values() for word in words):
        print(f'no speech without commands: "{UNKNOWN}" is learnt from words played backwards')
        sources["backwards"] = recorded[:, ::-1], [UNKNOWN] * len(recorded)

    origin = np.concatenate([[of] * len(words) for of, (_, words) in sources.items()])
    words_of = [word for _, words in sources.values() for word in words]
    answers = np.array([numbers.get(word, numbers[UNKNOWN]) for word in words_of])
    # A word outside the task counts with the root of its clips: rare words are heard as well.
    clips_of = Counter(zip(origin, words_of, strict=True))
    weights = np.array(
        [
            1.0 if word in numbers or of == "synthetic" else clips_of[of, word] ** -0.5
            for of, word in zip(origin, words_of, strict=True)
        ]
    )
    pools = []
    for number, label in enumerate(labels):
        rows = np.flatnonzero(answers == number).astype(np.int32)
        if not rows.size:
            raise DataError(f"{data}: no training clips of {label!r}")
        count = Counter(origin[rows].tolist())
        shares = {"silent": 1.0, "recorded": 1.0, "backwards": 1.0, "synthetic": synthetic_share}
        if label == UNKNOWN:
            shares["negative"] = NEGATIVE_SHARE
        elif count["synthetic"]:
            heard = synthetic_weight * count["synthetic"]
            shares["synthetic"] = max(synthetic_share, heard / (heard + count["recorded"]))
        shares["recorded"] -= sum(shares[of] for of in ("negative", "synthetic") if count[of])
        pools.append((rows, _probabilities(origin[rows], weights[rows], shares)))
    everything = np.concatenate([found for found, _ in sources.values()])
    training_noise, validation_noise = _read_noise(data / NOISE_FOLDER)
    speech = everything[rng.choice(pools[numbers[UNKNOWN]][0], 400)]
    validation, validation_answers = _validation(split.validation, numbers, validation_noise, rng)
    return Task(
        labels=labels,
        clips=everything,
        pools=pools,
        noise=noise_rows([*training_noise, *synthetic_noise(speech, rng)]),
        validation=validation,
        answers=validation_answers,
        summary=", ".join(summary),
        new_voices=not {c.speaker for c in split.training} & {c.speaker for c in split.validation},
    )


def _probabilities(
    origin: npt.NDArray[np.str_], weights: npt.NDArray[np.float64], shares: dict[str, float]
) -> npt.NDArray[np.float64]:
    """Weights scaled so that each origin has its share of the draws, float64 (n,), sum 1."""
    scaled = weights.copy()
    for of in np.unique(origin):
        scaled[origin == of] *= shares[of] / weights[origin == of].sum()
    return scaled / scaled.sum()


def _validation(
    clips: Sequence[Clip],
    numbers: dict[str, int],
    noise: Sequence[Samples],
    rng: np.random.Generator,
) -> tuple[Samples, npt.NDArray[np.int32]]:
    commands = [c for c in clips if c.word in numbers and c.word not in (UNKNOWN, SILENCE)]
    others = [clip for clip in clips if clip.word not in numbers or clip.word == UNKNOWN]
    tenth = math.ceil(0.1 * len(commands))
    chosen = rng.permutation(len(others))[:tenth]
    read, kept = read_clips([*commands, *(others[i] for i in sorted(chosen))], "validation clips")
    noise = noise or [
        _to_int16(0.05 * made.astype(np.float32) / made.std())
        for made in synthetic_noise(read, rng, seconds=2)
    ]
    silence = np.zeros((tenth, WINDOW), np.int16)
    for row in silence[tenth // 10 :]:  # the first tenth stays digital zero
        piece = noise[rng.integers(len(noise))]
        start = rng.integers(piece.size - WINDOW + 1)
        row[:] = np.round(piece[start : start + WINDOW] * rng.uniform(0, 1))
    parts = [read, silence]
    answers = [numbers.get(clip.word, numbers[UNKNOWN]) for clip in kept]
    answers += [numbers[SILENCE]] * tenth
    if not others:  # as in training
        parts.append(read[:tenth, ::-1])
        answers += [numbers[UNKNOWN]] * len(parts[-1])
    return np.concatenate(parts), np.array(answers, np.int32)


def _read_noise(folder: Path) -> tuple[list[Samples], list[Samples]]:
    """Noise recordings, each cut into its training and its validation part.

    Recordings too short for two parts are for training alone.
    """
    training, validation = [], []
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in paths:
        if path.suffix.lower() not in EXTENSIONS:
            continue
        try:
            samples = _to_int16(audio.load(path))
        except (audio.AudioError, OSError) as error:
            _warn(f"passed over: {error}")
            continue
        held_out = int(samples.size * HELD_OUT_NOISE)
        if held_out >= WINDOW:
            validation.append(samples[-held_out:])
            samples = samples[:-held_out]
        training.append(samples)
    return training, validation


def synthetic_noise(
    speech: Samples, rng: np.random.Generator, seconds: int = 12
) -> list[npt.NDArray[np.float64]]:
    """Noises that no recording gives: coloured and fluctuating noise, hum, clicks and babble.

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
    return noises


def noise_rows(noises: Iterable[npt.NDArray[np.generic]]) -> npt.NDArray[np.float32]:
    """Noises at an RMS of 1 one after another, float32 (rows, NOISE_ROW)."""
    scaled = []
    for noise in noises:
        values = np.asarray(noise, np.float64)
        level = math.sqrt(float(np.mean(values**2)))
        if level > 0:
            scaled.append((values / level).astype(np.float32))
    joined = np.concatenate(scaled)
    return joined[: joined.size // NOISE_ROW * NOISE_ROW].reshape(-1, NOISE_ROW)


def draw_batch(
    task: Task, size: int, unknown_share: float, silence_share: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Rows of `task.clips` and their labels: commands alike often, int32 (size,) each."""
    commands = len(task.labels) - 2
    share = (1 - unknown_share - silence_share) / commands
    answers = rng.choice(
        len(task.labels), size, p=[share] * commands + [unknown_share, silence_share]
    ).astype(np.int32)
    rows = np.empty(size, np.int32)
    for number in np.unique(answers):
        places = answers == number
        pool, weights = task.pools[number]
        rows[places] = rng.choice(pool, int(places.sum()), p=weights)
    return rows, answers


def _one_second(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The loudest second of a clip, or the clip between zeros."""
    spare = samples.size - WINDOW
    if spare > 0:
        energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
        start = int(np.argmax(energy[WINDOW:] - energy[:-WINDOW]))
        return samples[start : start + WINDOW]
    return np.pad(samples, (-spare // 2, -spare - -spare // 2))


def _to_int16(samples: npt.NDArray[np.float32]) -> Samples:
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)


def _bar() -> dict[str, object]:
    return {"disable": None, "leave": False, "unit": "clip"}  # shown where stderr is a terminal


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)
