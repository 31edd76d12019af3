"""Sentences to speak: read from texts, made easy to say, without any command."""

# ruff: noqa: RUF001 - marks of printed text look like others

import gzip
import hashlib
import html
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.voices.errors import SynthesisError
from training.voices.languages import ENGLISH, LANGUAGES, Language, Text, without_accents
from training.voices.words import COMMANDS

WORDS = 3, 20  # of a sentence
HOMOPHONES = ("know", "noh", "gnow", "rite", "wright", "write", "awn", "gogh")
FORBIDDEN = frozenset((*COMMANDS, *HOMOPHONES))
PUNCTUATION = {
    "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "‚": '"', "«": '"', "»": '"', "‹": '"',
    "›": '"', "¿": "", "¡": "", "—": ", ", "–": ", ", "--": ", ", ";": ",", ":": ",",
}  # fmt: skip


@dataclass(frozen=True)
class Sentence:
    """A sentence and the licence of the text that it is from."""

    text: str
    licence: str


def read_sentences(
    files: Sequence[Path],
    language: Language = ENGLISH,
    forbidden: Iterable[str] = FORBIDDEN,
) -> list[Sentence]:
    """Read the sentences of texts that every synthesiser can say and that hold no command.

    Args:
        files: text files in UTF-8; one whose name ends in .gz or .dz is unpacked. Without any,
            the language's own texts are read. English ones are the examples of WordNet, The
            Devil's Dictionary and the Jargon File.
        language: language of the texts. Defaults to English.
        forbidden: words or phrases that no sentence may hold. A sentence may hold the single words
            of a phrase. Defaults to the ten commands and words that sound like them.

    Returns:
        The sentences in the order of the texts, each once.

    Raises:
        SynthesisError: the language has no text, or a text is not installed, is not text, or holds
            no such sentence.
        OSError: a file cannot be read.
    """
    texts = [Text(path, f"as {path.name}", "") for path in files] or language.texts
    if not texts:
        names = ", ".join(each.name for each in LANGUAGES.values() if each.texts)
        raise SynthesisError(
            f"{language.name}: expected files with sentences, found none; only {names} have texts "
            "of their own"
        )
    phrases = frozenset(forbidden)
    found: dict[str, Sentence] = {}
    for text in texts:
        for path in _files(text):
            for part in _split(text, path, language):
                if sentence := normalise(part, language, phrases):
                    found.setdefault(sentence.lower(), Sentence(sentence, text.licence))
    if not found:
        paths = ", ".join(str(text.path) for text in texts)
        raise SynthesisError(f"{paths}: expected sentences without a command, found none")
    return list(found.values())


def is_held_out(sentence: Sentence) -> bool:
    """Return whether only held-out voices say a sentence: about a third are, by their SHA-1."""
    return hashlib.sha1(sentence.text.lower().encode()).digest()[0] % 3 == 0


def normalise(
    text: str, language: Language = ENGLISH, forbidden: frozenset[str] = FORBIDDEN
) -> str | None:
    """Return a sentence of the language's letters, apostrophes, commas and one mark at its end.

    Returns:
        None if it holds anything that a synthesiser must guess how to say (digits, abbreviations,
        symbols), a forbidden word or phrase, or a wrong number of words.
    """
    for mark, replacement in PUNCTUATION.items():
        text = text.replace(mark, replacement)
    text = language.plain(text)
    letters = _letters(language, text)
    text = re.sub(f"(?<=[{letters}])-(?=[{letters}])", " ", text)
    text = re.sub(f"(?<![{letters}])'|'(?![{letters}])|\"", "", text)
    text = re.sub(r"[\s,]*,[\s,]*", ", ", " ".join(text.split())).strip(" ,")
    if language is not ENGLISH:  # whose sentences stay as they have always been
        text = re.sub(r"[ ,]+(?=[.?!]$)", "", text)
    if not re.fullmatch(f"[{letters}', ]+[.?!]?", text):
        return None
    words = re.findall(f"[{letters}']+", text)
    if not WORDS[0] <= len(words) <= WORDS[1]:
        return None
    if not all(_can_be_said(word, language) for word in words):
        return None
    spoken = _spoken(text)
    if any(_spoken(language.plain(phrase)) in spoken for phrase in forbidden):
        return None
    return text if text[-1] in ".?!" else f"{text.rstrip(', ')}."


def _letters(language: Language, text: str) -> str:
    """Return the letters, small and capital, as they stand in a class of a regular expression."""
    if language.letters is None:
        return "".join({character for character in text if character.isalpha()}) or "a"
    return language.letters + _capitals(language, text)


def _capitals(language: Language, text: str) -> str:
    if language.letters is None:
        return "".join({character for character in text if character.isupper()}) or "A"
    return language.letters.replace("ß", "").upper()


def _spoken(text: str) -> str:
    """Return the words of a text in small letters, with a space before and after each."""
    return " ".join(["", *re.findall(r"\w+", text.casefold()), ""])


def _can_be_said(word: str, language: Language) -> bool:
    parts = word.lower().split("'")
    if not {*parts}.isdisjoint(language.abbreviations.split()):
        return False
    if len(word) == 1:
        return language.short_words is None or word in language.short_words
    ends = without_accents(parts[0] + parts[-1])
    has_vowel = language.letters is None or re.search("[aeiouyæœ]", ends)
    return bool(has_vowel) and word[1:].islower()


def _files(text: Text) -> list[Path]:
    """Return the files of a text.

    Raises:
        SynthesisError: its package is not installed.
    """
    if not text.package:
        return [text.path]
    root = Path(text.path.anchor)
    if files := sorted(root.glob(str(text.path.relative_to(root)))):
        return files
    raise SynthesisError(
        f"expected the text {text.path}: install the Debian package {text.package}"
    )


def _split(text: Text, path: Path, language: Language) -> Iterator[str]:
    """Yield the sentences of a file of a text as they are written there."""
    content = _read(path)
    if text.layout == "wordnet":
        for gloss in re.findall(r" \| (.*)", content):
            yield from re.findall('"([^"]+)"', gloss)
        return
    capitals = _capitals(language, content)
    for paragraph in PARAGRAPHS[text.layout](content):
        yield from re.split(
            rf"(?<=[.?!])[\"'”’»)]*\s+(?=[\"'“‘„«¿¡(]*[{capitals}])", " ".join(paragraph.split())
        )


PARAGRAPHS: dict[str, Callable[[str], list[str]]] = {
    "plain": lambda content: re.split(r"\n\s*\n", content),
    "fortunes": lambda content: re.split(r"\n(?:%|\s*--.*|\s*)(?=\n)", content),
    "dialogues": lambda content: re.findall(r'dialogStr\("(.*)"\)', content),
    "help": lambda content: [
        html.unescape(re.sub("<[^>]*>", "", part))
        for part in re.findall(r"<p>(.*?)</p>", content, re.DOTALL)
    ],
}


def _read(path: Path) -> str:
    try:
        if path.suffix in (".gz", ".dz"):
            with gzip.open(path, "rt", encoding="utf-8", errors="strict") as file:
                return file.read()
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        reason = error.__class__.__name__
        raise SynthesisError(f"{path}: expected text in UTF-8, found none ({reason})") from None
