"""Sentences to speak: read from texts, made easy to say, without any of the ten commands."""

# ruff: noqa: RUF001 - marks of printed text look like others

import gzip
import hashlib
import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.voices.errors import SynthesisError
from training.voices.words import COMMANDS

WORDS = 3, 20  # of a sentence
HOMOPHONES = ("know", "noh", "gnow", "rite", "wright", "write", "awn", "gogh")
FORBIDDEN = frozenset((*COMMANDS, *HOMOPHONES))
ABBREVIATIONS = frozenset(
    ("etc", "eg", "ie", "ed", "esp", "usu", "adj", "adv", "fig", "inc", "vol")
)
DICTD, WORDNET = Path("/usr/share/dictd"), Path("/usr/share/wordnet")
PUNCTUATION = {
    "‘": "'", "’": "'", "“": '"', "”": '"', "—": ", ", "–": ", ", "--": ", ", ";": ",", ":": ",",
}  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A text that a Debian package installs: its licence, and the package's name."""

    path: Path
    licence: str
    package: str


TEXTS = (
    Text(WORDNET / "data.noun", "WordNet 3.0 licence", "wordnet-base"),
    Text(WORDNET / "data.verb", "WordNet 3.0 licence", "wordnet-base"),
    Text(WORDNET / "data.adj", "WordNet 3.0 licence", "wordnet-base"),
    Text(WORDNET / "data.adv", "WordNet 3.0 licence", "wordnet-base"),
    Text(DICTD / "devil.dict.dz", "public domain", "dict-devil"),
    Text(DICTD / "jargon.dict.dz", "public domain", "dict-jargon"),
)


@dataclass(frozen=True)
class Sentence:
    """A sentence and the licence of the text that it is from."""

    text: str
    licence: str


def read_sentences(files: Sequence[Path]) -> list[Sentence]:
    """Read the sentences of texts that every synthesiser can say and that hold no command.

    Args:
        files: text files in UTF-8; one whose name ends in .gz or .dz is unpacked. Without any,
            the texts of ``TEXTS`` are read: the examples of WordNet, The Devil's Dictionary and
            the Jargon File.

    Returns:
        The sentences in the order of the texts, each once.

    Raises:
        SynthesisError: a text is not installed, is not text, or holds no such sentence.
        OSError: a file cannot be read.
    """
    texts = [Text(path, f"as {path.name}", "") for path in files] or TEXTS
    found: dict[str, Sentence] = {}
    for text in texts:
        for part in _split(text):
            if sentence := normalise(part):
                found.setdefault(sentence.lower(), Sentence(sentence, text.licence))
    if not found:
        names = ", ".join(str(path) for path in files)
        raise SynthesisError(f"{names}: expected sentences without a command, found none")
    return list(found.values())


def is_held_out(sentence: Sentence) -> bool:
    """Return whether only held-out voices say a sentence: about a third are, by their SHA-1."""
    return hashlib.sha1(sentence.text.lower().encode()).digest()[0] % 3 == 0


def normalise(text: str) -> str | None:
    """Return a sentence of the letters a to z, apostrophes, commas and one mark at its end.

    Returns:
        None if it holds anything that a synthesiser must guess how to say (digits, abbreviations,
        symbols), a command or a word that sounds like one, or a wrong number of words.
    """
    for mark, replacement in PUNCTUATION.items():
        text = text.replace(mark, replacement)
    text = unicodedata.normalize("NFKD", text)
    text = re.sub("[\u0300-\u036f]", "", text)  # accents
    text = re.sub(r"(?<=[A-Za-z])-(?=[A-Za-z])", " ", text)
    text = re.sub(r"(?<![A-Za-z])'|'(?![A-Za-z])|\"", "", text)
    text = re.sub(r"[\s,]*,[\s,]*", ", ", " ".join(text.split())).strip(" ,")
    if not re.fullmatch(r"[A-Za-z', ]+[.?!]?", text):
        return None
    words = re.findall("[A-Za-z']+", text)
    if not WORDS[0] <= len(words) <= WORDS[1] or not all(map(_can_be_said, words)):
        return None
    return text if text[-1] in ".?!" else f"{text.rstrip(', ')}."


def _can_be_said(word: str) -> bool:
    parts = word.lower().split("'")
    if FORBIDDEN & {*parts} or ABBREVIATIONS & {*parts}:
        return False
    if len(word) == 1:
        return word in "aAIO"
    return bool(re.search("[aeiouy]", parts[0] + parts[-1])) and word[1:].islower()


def _split(text: Text) -> Iterator[str]:
    """Yield the sentences of a text as they are written there."""
    content = _read(text)
    if text.path.parent == WORDNET:
        for gloss in re.findall(r" \| (.*)", content):
            yield from re.findall('"([^"]+)"', gloss)
        return
    for paragraph in re.split(r"\n\s*\n", content):
        yield from re.split(
            r"(?<=[.?!])[\"'”’)]*\s+(?=[\"'“‘(]*[A-Z])", " ".join(paragraph.split())
        )


def _read(text: Text) -> str:
    try:
        if text.path.suffix in (".gz", ".dz"):
            with gzip.open(text.path, "rt", encoding="utf-8", errors="strict") as file:
                return file.read()
        return text.path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if not text.package:
            raise
        message = f"expected the text {text.path}: install the Debian package {text.package}"
        raise SynthesisError(message) from None
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        reason = error.__class__.__name__
        raise SynthesisError(
            f"{text.path}: expected text in UTF-8, found none ({reason})"
        ) from None
