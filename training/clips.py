"""Sound files on disk -> clips: words, speakers, a speaker-disjoint split, arrays of samples."""

import dataclasses
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
import scipy.ndimage
from tqdm import tqdm

from speechgru import audio
from speechgru.recognizer import NOT_COMMANDS

USUAL_WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
ALL_WORDS = ["all"]  # asked for instead of a list of words
UNKNOWN, SILENCE = NOT_COMMANDS
EXTENSIONS = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff"}
RATE = audio.SAMPLE_RATE
WINDOW = RATE  # a clip is one second
FRAME = RATE // 100  # levels are measured in frames of 10 ms
SPEAKER_MARK = "_nohash_"  # Speech Commands: <speaker>_nohash_<take>.wav
OFFICIAL_SHARE = 10.0  # per cent of the speakers in validation, and as many in testing
OFFICIAL_MODULUS = 2**27  # which_set's MAX_NUM_WAVS_PER_CLASS + 1
SILENT = 10 ** (-75 / 20)  # a file of which no frame has this RMS holds nothing
UNREADABLE_SHARE = 0.05  # of a folder's files; above, the folder is not what it is taken for
SHOWN = 5  # files that are passed over and shown on stderr
READ_AT_ONCE = 1024  # files whose samples may wait in memory for their turn

Samples = npt.NDArray[np.int16]
Made = TypeVar("Made")


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
    """Clips to train on, to validate on, and those kept for testing."""

    training: list[Clip]
    validation: list[Clip]
    testing: list[Clip]


# Finding and splitting


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
        Clip(path, word.name, speaker_of(path.stem, word.name))
        for word in sorted(folder.iterdir())
        if word.is_dir() and not word.name.startswith(("_", "."))
        for path in sorted(word.iterdir())
        if path.suffix.lower() in EXTENSIONS
    ]
    if not clips:
        inside = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
        raise DataError(f"{folder}: expected folders <word>/*.wav, found {inside}")
    return clips


def find_recordings(folder: Path) -> list[Path]:
    """All sound files anywhere under a folder, sorted; none where there is no such folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS)


def speaker_of(stem: str, word: str) -> str:
    """The speaker whom a file's stem names, never empty: see `find_clips`."""
    name, found, _ = stem.partition(SPEAKER_MARK)
    if not found:
        name, found, _ = stem.rpartition("_")
    return name if found and name and name != word else stem


def choose_words(clips: Sequence[Clip], words: Sequence[str] | None) -> tuple[str, ...]:
    """The command words: those asked for, else the ten usual ones if all are there, else all.

    `["all"]` asks for every word folder besides unknown and silence.

    Raises:
        DataError: a word asked for has no folder, or fewer than one word is left.
    """
    present = sorted({clip.word for clip in clips} - {UNKNOWN, SILENCE})
    if words is None:
        chosen = USUAL_WORDS if set(USUAL_WORDS) <= set(present) else tuple(present)
    elif list(words) == ALL_WORDS:
        chosen = tuple(present)
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


def official_set(name: str) -> Literal["training", "validation", "testing"]:
    """The part of Speech Commands that a file belongs to, by the hash of its speaker.

    The rule of `which_set` in TensorFlow's speech_commands example: the SHA-1 of what comes before
    `_nohash_`, modulo 2**27, as a percentage of 2**27 - 1. A speaker's part never changes, however
    many recordings are added.
    """
    speaker = os.fsencode(name.partition(SPEAKER_MARK)[0])
    number = int(hashlib.sha1(speaker).hexdigest(), 16) % OFFICIAL_MODULUS
    percentage = number * (100.0 / (OFFICIAL_MODULUS - 1))
    if percentage < OFFICIAL_SHARE:
        return "validation"
    return "testing" if percentage < 2 * OFFICIAL_SHARE else "training"


def split_clips(
    folder: Path, clips: Sequence[Clip], share: float = 0.1, *, commands: Collection[str] = ()
) -> Split:
    """Training, validation and testing clips with no speaker in two of them, where possible.

    1. `validation_list.txt` and `testing_list.txt` decide where they are.
    2. Without a validation list, but with `_nohash_` in the name of every file, `official_set`
       decides, if it gives each part clips of each of the `commands`. With no commands it is not
       asked.
    3. Else speakers are taken in the order of the SHA-1 of their names until `share` of the clips
       is validation; a speaker of more than half of the clips, or without whom a word would be
       lost to training, is not taken. Where this leaves no speaker, it is every tenth clip of
       each word that has more than one.

    Raises:
        DataError: nothing is left to train or to validate on, or a list is no text.
    """
    held_out = _read_list(folder / "testing_list.txt")
    listed = _read_list(folder / "validation_list.txt")
    testing = [clip for clip in clips if clip.key in held_out]
    clips = [clip for clip in clips if clip.key not in held_out]
    if listed:
        validation = [clip for clip in clips if clip.key in listed]
        training = [clip for clip in clips if clip.key not in listed]
        split = Split(training, validation, testing)
        shared = sorted({c.speaker for c in training} & {c.speaker for c in validation})
        if shared:
            warn(f"speakers of {folder} in training and validation alike: {_some(shared)}")
    else:
        split = _official_split(clips, testing, commands) or _own_split(
            folder, clips, testing, share
        )
    if not split.training or not split.validation:
        raise DataError(
            f"{folder}: {len(split.training)} clips to train and {len(split.validation)} to "
            "validate on; expected some of each"
        )
    return split


def _read_list(path: Path) -> set[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    except ValueError as error:
        raise DataError(f"{path}: expected a list of clips, found {error}") from error
    return {line.strip() for line in lines} - {""}


def _official_split(
    clips: Sequence[Clip], testing: Sequence[Clip], commands: Collection[str]
) -> Split | None:
    if not commands or not all(SPEAKER_MARK in clip.path.name for clip in clips):
        return None
    split = Split([], [], list(testing))
    for clip in clips:
        getattr(split, official_set(clip.path.name)).append(clip)
    parts = (split.training, split.validation, split.testing)
    complete = all(set(commands) <= {clip.word for clip in part} for part in parts)
    return split if complete else None


def _own_split(folder: Path, clips: Sequence[Clip], testing: Sequence[Clip], share: float) -> Split:
    speakers = _validation_speakers(clips, share)
    if speakers:
        held_out = {clip for clip in clips if clip.speaker in speakers}
    else:
        warn(f"{folder} has too few speakers: every tenth clip is validation, not a new voice")
        of_word: dict[str, list[Clip]] = {}
        for clip in clips:
            of_word.setdefault(clip.word, []).append(clip)
        held_out = {clip for own in of_word.values() if len(own) > 1 for clip in own[::10]}
    return Split(
        [clip for clip in clips if clip not in held_out],
        [clip for clip in clips if clip in held_out],
        list(testing),
    )


def _validation_speakers(clips: Sequence[Clip], share: float) -> set[str]:
    of_speaker: dict[str, Counter[str]] = {}
    for clip in clips:
        of_speaker.setdefault(clip.speaker, Counter())[clip.word] += 1
    left = Counter(clip.word for clip in clips)
    chosen: set[str] = set()
    for speaker in sorted(of_speaker, key=lambda name: hashlib.sha1(os.fsencode(name)).digest()):
        if left.total() <= (1 - share) * len(clips):
            break
        own = of_speaker[speaker]
        if own.total() <= len(clips) / 2 and all(left[word] > own[word] for word in own):
            left -= own
            chosen.add(speaker)
    return chosen


# Reading


class Reading:
    """Reads sound files on all cores and keeps account of those that are passed over.

    A file is passed over if it cannot be read or if it is silent: digital zero, or below -75 dBFS
    (RMS of every 10 ms) throughout; a folder named "silence" may hold silent files. Only files
    that cannot be read count for the 5 % above which a folder is refused: a silent file is what it
    seems to be, and many of them leave a word without clips, which has a message of its own.

    Attributes:
        passed_over: path and reason of each file passed over, in the order of reading.
    """

    def __init__(self) -> None:
        self.passed_over: list[tuple[str, str]] = []
        self._asked: Counter[Path | None] = Counter()
        self._unreadable: dict[Path | None, list[str]] = {}

    def clips(
        self, clips: Sequence[Clip], into: Samples, what: str, folder: Path | None = None
    ) -> list[Clip]:
        """Read clips as windows of one second into the first rows of an array.

        Shorter clips are padded with zeros on both sides, longer ones cut around their sound.

        Args:
            clips: what to read.
            into: int16 (at least the number of clips, WINDOW).
            what: the progress bar's title.
            folder: the folder that `check` blames.

        Returns:
            The clips that were read; the n-th is in row n.
        """
        kept = []
        paths = [clip.path for clip in clips]
        for number, row in self.each(paths, lambda s: to_int16(one_second(s)), what, folder):
            into[len(kept)] = row
            kept.append(clips[number])
        return kept

    def each(
        self,
        paths: Sequence[Path],
        make: Callable[[npt.NDArray[np.float32]], Made],
        what: str,
        folder: Path | None = None,
    ) -> Iterator[tuple[int, Made]]:
        """The number of every usable file, and what `make` makes of its samples, in order."""

        def read(path: Path) -> tuple[Made | None, str, bool]:
            try:
                samples = audio.load(path)
            except audio.AudioError as error:
                return None, str(error).removeprefix(f"{audio.describe(path)}: "), True
            except OSError as error:
                return None, error.strerror or str(error), True
            if path.parent.name != SILENCE and is_silent(samples):
                return None, "expected sound, found silence (below -75 dBFS throughout)", False
            return make(samples), "", False

        self._asked[folder] += len(paths)
        bar = tqdm(total=len(paths), desc=what, disable=None, leave=False, unit="file")
        with bar, ThreadPoolExecutor() as pool:
            for start in range(0, len(paths), READ_AT_ONCE):
                block = paths[start : start + READ_AT_ONCE]
                for number, (made, reason, unreadable) in enumerate(pool.map(read, block), start):
                    bar.update()
                    if made is not None:
                        yield number, made
                        continue
                    self.passed_over.append((printable(paths[number]), reason))
                    if unreadable:
                        place = f"{printable(paths[number])}: {reason}"
                        self._unreadable.setdefault(folder, []).append(place)

    def check(self) -> None:
        """Refuse a folder of which too many files cannot be read.

        Raises:
            DataError: more than 5 % of the files of a folder cannot be read.
        """
        for folder, found in self._unreadable.items():
            if len(found) > UNREADABLE_SHARE * self._asked[folder]:
                raise DataError(
                    f"{f'{folder}: ' if folder else ''}{len(found)} of {self._asked[folder]} files "
                    f"could not be read; the first: {found[0]}"
                )

    def show(self) -> None:
        """Name the first files passed over on stderr, and how many more there are."""
        for path, reason in self.passed_over[:SHOWN]:
            warn(f"passed over: {path}: {reason}")
        if len(self.passed_over) > SHOWN:
            warn(f"passed over: ... and {len(self.passed_over) - SHOWN} more")


def read_clips(clips: Sequence[Clip], what: str) -> tuple[Samples, list[Clip]]:
    """Read clips as windows of one second, int16 (n, WINDOW), and the clips that could be read.

    See `Reading` for what is passed over.

    Raises:
        DataError: more than 5 % of the files cannot be read.
    """
    rows = np.empty((len(clips), WINDOW), np.int16)
    reading = Reading()
    kept = reading.clips(clips, rows, what)
    reading.check()
    reading.show()
    return rows[: len(kept)], kept


def is_silent(samples: npt.NDArray[np.float32]) -> bool:
    """Whether no 10 ms of a recording have an RMS of -75 dBFS."""
    whole = samples.size // FRAME * FRAME
    power = np.square(samples[:whole]).reshape(-1, FRAME).mean(axis=1)
    rest = samples[whole:]
    loudest = max(power.max(initial=0.0), np.square(rest).sum() / FRAME)
    return bool(loudest < SILENT**2)


def one_second(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The second of a recording with the most sound, in its middle; a clip between zeros.

    Sound is measured as `loudness` above the quietest tenth. Of the seconds that hold as much
    (98 % of the most), that one is taken which has the sound most nearly in its middle.
    """
    spare = samples.size - WINDOW
    if spare <= 0:
        return np.pad(samples, (-spare // 2, -spare - -spare // 2))
    level = loudness(samples)
    level = np.maximum(level - np.quantile(level, 0.1), 0)
    frames = WINDOW // FRAME
    held = np.concatenate([[0.0], np.cumsum(level)])
    held = held[frames:] - held[:-frames]
    best = int(held.argmax())
    inside = level[best : best + frames]
    if inside.any():
        centre = best + float(np.average(np.arange(frames) + 0.5, weights=inside))
    else:
        centre = level.size / 2
    # The seconds as good as the best one, from it to both sides.
    worse = np.flatnonzero(held < 0.98 * held[best])
    first = worse[worse < best].max(initial=-1) + 1
    last = worse[worse > best].min(initial=held.size) - 1
    start = int(np.clip(round(centre - frames / 2), first, last)) * FRAME
    start = min(start, spare)
    return samples[start : start + WINDOW]


def loudness(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Amplitude (RMS) in frames of 10 ms, the last filled up with zeros; float64 (frames,).

    The mean is taken off first, so that an offset is no sound. A median over 70 ms takes out what
    is shorter than 30 ms: clicks and knocks, but no syllable.
    """
    values = np.asarray(samples, np.float32)
    values = values - values.mean(dtype=np.float64).astype(np.float32)
    frames = np.pad(values, (0, -values.size % FRAME)).reshape(-1, FRAME)
    level = np.sqrt(np.square(frames).mean(axis=1, dtype=np.float64))
    smooth: npt.NDArray[np.float64] = scipy.ndimage.median_filter(level, 7, mode="constant")
    return smooth


def to_int16(samples: npt.NDArray[np.float32]) -> Samples:
    """16-bit samples of those in [-1, 1]."""
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)


# Messages


def warn(message: str) -> None:
    """One plain line on stderr."""
    print(f"warning: {message}", file=sys.stderr)


def printable(path: Path | str) -> str:
    """A path that any text file can hold, whatever bytes are in its name."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def warn_of_thin_words(
    commands: Sequence[str], training: Sequence[Clip], validation: Sequence[Clip]
) -> None:
    """Say which commands have few clips (under 10 to train on, 2 to validate on) or one speaker."""
    trained = Counter(clip.word for clip in training)
    validated = Counter(clip.word for clip in validation)
    few = [
        f"{word} ({trained[word]} to train on, {validated[word]} to validate on)"
        for word in commands
        if trained[word] < 10 or validated[word] < 2
    ]
    if few:
        warn(f"few clips, expected at least 10 to train on and 2 to validate on: {', '.join(few)}")
    speakers: dict[str, set[str]] = {}
    for clip in (*training, *validation):
        speakers.setdefault(clip.word, set()).add(clip.speaker)
    alone = [word for word in commands if len(speakers.get(word, ())) == 1]
    if alone:
        warn(f"words that only one speaker says, so that others may not be heard: {_some(alone)}")


def _some(names: Sequence[str], shown: int = 10) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
