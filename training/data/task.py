"""Make a task of a data folder: all that a run is trained on and validated on."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from speechgru.stated_accuracy import ValidationUnknown
from training.clips.clip import Clip
from training.clips.finding import find_clips
from training.clips.reading import Reading
from training.clips.speakers import clips_without_speaker
from training.clips.split_lists import listed_clips
from training.clips.splitting import Split, split_clips
from training.clips.window import WINDOW, Samples
from training.clips.words import (
    SILENCE,
    UNKNOWN,
    USUAL_WORDS,
    choose_words,
    label_numbers,
    respell,
    warn_of_thin_words,
)
from training.data.batches import NEGATIVE_SHARE, DrawShares, Pool, make_pools
from training.data.clip_table import ClipTable
from training.data.held_out_folders import check_sources
from training.data.held_out_speech import NegativeSpeech, hold_out_speakers, separate_windows
from training.data.negative_speech import Recording, read_all_negative_speech
from training.data.noise_recordings import Noise, noise_rows, read_noises
from training.data.sources import DataSources
from training.data.synthetic_noise import synthetic_noise
from training.data.training_clips import training_clips
from training.data.validation_clips import other_words, unknown_of, validation_clips
from training.data.window_choice import choose_window
from training.output.messages import some, warn

BABBLE_CLIPS = 400  # clips of "unknown" from which babble is made


@dataclasses.dataclass
class Task:
    """Everything that a run is trained on and validated on.

    The same folders and the same seed give the same task, bit for bit.

    Attributes:
        labels: the commands, "unknown" and "silence".
        clips: all training clips, int16, shape (clips, window); row 0 is digital silence.
        pools: for each label the rows of `clips` to draw from, and their probabilities.
        following: for each row of `clips` the row of the next window of the same recording of
            negative speech, or -1; int32, shape (clips,).
        noise: recorded and made noises at an RMS near 1, float32, shape (rows, NOISE_ROW).
        validation: the validation clips, int16, shape (n, window).
        targets: the label numbers of the validation clips, int32, shape (n,).
        summary: the folders, and how many clips each gave.
        new_voices: the speakers are known, and none is both in training and in validation.
        speakers_known: the file names tell the speakers apart.
        lists: what the arrays hold, in their order, as text. "training" and "validation":
            `<word>/<file>` in the data folder; "negative" and "synthetic": files in those folders;
            "noise": `<folder>/<file>`; "training_unknown" and "validation_unknown": what is made
            of command words, or windows of negative speech, `<file>@<first sample>`;
            "validation_negative", if there are any: files that are held out;
            "validation_silence":
            `<folder>/<file>@<first sample at 16 kHz>*<volume>`. The rows of `validation` are
            those of "validation", "validation_unknown" and "validation_silence", in this order.
        skipped: path and reason of every file that cannot be used (see `clips.Reading`).
        validation_unknown: what the validation clips of "unknown" are: recordings of other words;
            negative speech of speakers that are not trained on; words by synthetic voices; or
            sounds made of commands.
            Default "recorded words".
        held_out_speech: all windows of the negative speech that is held out, int16, shape
            (n, window). They do not overlap. Default: none.
    """

    labels: tuple[str, ...]
    clips: Samples
    pools: list[Pool]
    following: npt.NDArray[np.int32]
    noise: npt.NDArray[np.float32]
    validation: Samples
    targets: npt.NDArray[np.int32]
    summary: str
    new_voices: bool
    speakers_known: bool
    lists: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    skipped: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    validation_unknown: ValidationUnknown = "recorded words"
    held_out_speech: Samples = dataclasses.field(default_factory=lambda: np.empty((0, 0), np.int16))

    @property
    def window(self) -> int:
        """Samples of a clip, and of the window of a model of this task."""
        return int(self.clips.shape[1])

    @property
    def passed_over(self) -> list[tuple[str, str]]:
        """The former name of `skipped`."""
        return self.skipped


def make_task(
    data: Path,
    *,
    words: Sequence[str] | None,
    negative: Sequence[Path],
    synthetic: Path | None,
    synthetic_weight: float,
    synthetic_share: float,
    seed: int,
    spliced_share: float = 0.0,
    negative_share: float = NEGATIVE_SHARE,
    noise: Path | None = None,
    spoken: bool = False,
    windows: Sequence[int] = (WINDOW,),
) -> Task:
    """Read a data folder, and lay out the clips that are drawn for each label.

    Validation holds all validation clips of the commands and, as in the Speech Commands paper
    (arXiv:1804.03209) and its example, a tenth of that number each of unknown words and of
    silence: any window of a background noise, at any volume. Both are drawn by the seed.

    For other commands than the usual ten, about a fifth of the speakers of the negative speech are
    held out; see `hold_out_speakers`. If no other words are recorded, "unknown" is drawn from their
    windows.

    Every file is read once, straight into one array that is allocated at the start: 32 kB a
    second of clips, and a few hundred MB besides.

    Args:
        data: folder of `<word>/<file>`, with `_background_noise_` and lists if it has them.
        words: command words; None to choose them, `["all"]` for every word folder.
        negative: folders of speech without commands, of any length, for "unknown"; may be empty.
        synthetic: folder of `<word>/<file>` spoken by speech synthesisers, for training only; or
            None. Clips that validation_list.txt or testing_list.txt in it name are left out.
        synthetic_weight: how often a synthetic clip of a command is drawn, at least, for each
            time a real one is.
        synthetic_share: least share of synthetic clips in what is drawn of a label.
        seed: decides the draws.
        spliced_share: share of splices of two commands in what is drawn of "unknown", if there
            are recorded other words too; commands with a letter in common are not joined.
            Default 0.
        negative_share: share of negative speech in what is drawn of "unknown", if there is any.
            Default 0.25.
        noise: folder of noises, of any rate and length, besides `_background_noise_`. Default:
            None.
        spoken: whether the data folder was spoken by speech synthesisers. Default False.
        windows: samples of a clip, or several such numbers, ascending: the first into which 95 %
            of the words to train on fit is chosen (see `choose_window`). Default: one second.

    Raises:
        DataError: a folder does not hold what a task needs, or another folder may hold clips of
            the data folder that are held out.
    """
    sources = DataSources(data, tuple(negative), synthetic, noise)
    shares = DrawShares(synthetic_weight, synthetic_share, spliced_share, negative_share)
    check_sources(sources)
    found = find_clips(data)
    commands = choose_words(found, words)
    found = respell(found, commands)
    split = split_clips(data, found, commands=commands)
    # One stream of random numbers for each purpose, so that no choice changes the others.
    streams = np.random.SeedSequence(seed).spawn(3)
    for_training, for_validation, for_noise = map(np.random.default_rng, streams)

    voices = respell(_unlisted_clips(synthetic), commands) if synthetic else []
    of_commands = [clip for clip in (*split.training, *voices) if clip.word in commands]
    window = choose_window(windows, of_commands, data)
    reading = Reading(commands)
    noises = read_noises(reading, data, noise, window)
    speech = _split_speech(
        read_all_negative_speech(reading, sources.negative, window), split, commands
    )
    training = training_clips(
        reading,
        sources,
        split.training,
        voices,
        speech.training,
        commands,
        spliced_share,
        window,
        for_training,
    )
    held_out = list(separate_windows(speech.held_out, window))
    validation = validation_clips(
        reading, data, split.validation, commands, noises, window, for_validation, held_out
    )
    reading.check()
    reading.show()
    warn_of_thin_words(commands, training.recorded, validation.recorded)
    speakers_known = _check_speakers(data, found)
    labels = (*commands, UNKNOWN, SILENCE)
    pools = make_pools(training, labels, shares, data)
    return Task(
        labels=labels,
        clips=training.samples,
        pools=pools,
        following=_following(training),
        noise=_all_noise(noises, training, pools[labels.index(UNKNOWN)], for_noise),
        validation=validation.samples,
        targets=label_numbers(validation.words, labels),
        summary=_summary(training, sources, noises),
        new_voices=speakers_known and not _speakers_in_both(split),
        speakers_known=speakers_known,
        lists=_lists(training, validation, noises) | _held_out_list(speech),
        skipped=reading.skipped,
        validation_unknown="synthetic voices" if spoken else unknown_of(validation),
        held_out_speech=np.array([samples for _, samples in held_out], np.int16),
    )


def _unlisted_clips(folder: Path) -> list[Clip]:
    """The clips of a folder that its lists do not name: those are not to train on."""
    clips = find_clips(folder)
    listed = listed_clips(folder, clips)
    return [clip for clip in clips if clip not in listed.validation | listed.testing]


def _split_speech(
    recordings: Sequence[Recording], split: Split, commands: Sequence[str]
) -> NegativeSpeech:
    """Hold out speakers of negative speech, but not for the task of Speech Commands.

    That task has other words of its own, and stays as it was, so that accuracies can be compared.
    """
    others = other_words(split.validation, commands)
    if others and set(commands) == set(USUAL_WORDS):
        return NegativeSpeech(list(recordings), [])
    speech = hold_out_speakers(recordings, {clip.speaker for clip in split.training})
    if recordings and not others and not speech.held_out:
        warn(
            "negative speech: expected names that tell at least two speakers, one of them not in "
            "the training clips, such as anna_1.wav and ben_1.wav; all of it is trained on, and "
            "none is validated on"
        )
    return speech


def _held_out_list(speech: NegativeSpeech) -> dict[str, list[str]]:
    names = [recording.name for recording in speech.held_out]
    return {"validation_negative": names} if names else {}


def _check_speakers(data: Path, clips: Sequence[Clip]) -> bool:
    """Whether file names tell speakers apart, with a warning if they do not."""
    spoken = [clip for clip in clips if clip.word != SILENCE]
    unknown = clips_without_speaker(spoken)
    if unknown:
        names = [clip.key for clip in unknown]
        warn(
            f"{data}: speakers could not be told apart in {len(unknown)} of {len(spoken)} clips "
            f"({some(names, 3)}), so some may be both in training and in validation; expected "
            "names such as anna_0.wav"
        )
    return not unknown


def _speakers_in_both(split: Split) -> set[str]:
    return {c.speaker for c in split.training} & {c.speaker for c in split.validation}


def _all_noise(
    noises: Sequence[Noise], table: ClipTable, unknown: Pool, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """The training parts of recorded noises, and made noises with babble of unknown words."""
    speech = table.samples[rng.choice(unknown[0], BABBLE_CLIPS)]
    return noise_rows([*(noise.training for noise in noises), *synthetic_noise(speech, rng)])


def _following(table: ClipTable) -> npt.NDArray[np.int32]:
    following = np.full(len(table.names), -1, np.int32)
    following[list(table.following)] = list(table.following.values())
    return following


def _lists(
    training: ClipTable, validation: ClipTable, noises: Sequence[Noise]
) -> dict[str, list[str]]:
    return {
        "training": training.names_of("recorded"),
        "training_unknown": training.names_of("backwards", "splice"),
        "negative": list(dict.fromkeys(training.names_of("negative"))),
        "synthetic": training.names_of("synthetic"),
        "noise": [noise.name for noise in noises],
        "validation": validation.names_of("recorded"),
        "validation_unknown": validation.names_of("negative", "backwards", "splice"),
        "validation_silence": validation.names_of("noise"),
    }


def _summary(table: ClipTable, sources: DataSources, noises: Sequence[Noise]) -> str:
    count: Counter[str] = Counter(table.origins)
    folders = (
        ("recorded", [sources.data]),
        ("negative", sources.negative),
        ("synthetic", [sources.synthetic] if sources.synthetic else []),
    )
    given = [
        f"{count[of]:,} clips of {' and '.join(folder.name for folder in named)}"
        for of, named in folders
        if named
    ]
    if sources.noise is not None:
        added = sum(noise.folder == sources.noise for noise in noises)
        given.append(f"{added:,} noises of {sources.noise.name}")
    return ", ".join(given)
