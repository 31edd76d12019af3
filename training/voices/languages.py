"""The languages that are spoken: letters, accents of espeak-ng, texts and everyday words.

English, French, German and Spanish have texts and words. Any other language of espeak-ng is spoken
too; its texts and words must be given.
"""

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from training.voices.errors import SynthesisError
from training.voices.kokoro_styles import OTHER_HELD_OUT_STYLES, OTHER_TRAINING_STYLES
from training.voices.programs import run_program
from training.voices.sentence_speakers import HELD_OUT_STYLES, TRAINING_STYLES
from training.voices.speakers import ACCENTS, KOKORO_VOICES
from training.voices.words import A_TO_Z, OTHER_WORDS

DICTD, WORDNET = Path("/usr/share/dictd"), Path("/usr/share/wordnet")
FORTUNES, HELP = Path("/usr/share/games/fortunes"), Path("/usr/share/help")
DIALOGUES = Path("/usr/share/games/fillets-ng/script")

STYLES = {  # of kokoro by side: English ones, others
    "training": (TRAINING_STYLES, " ".join([OTHER_TRAINING_STYLES, *KOKORO_VOICES])),
    "held-out": (HELD_OUT_STYLES, OTHER_HELD_OUT_STYLES),
}


@dataclass(frozen=True)
class Text:
    """A text that a Debian package installs.

    Args:
        path: the file, or a pattern with * of several files.
        licence: licence of the text.
        package: name of the Debian package, or "" if a user gave the file.
        layout: how sentences stand in the file: "plain" paragraphs, the examples of "wordnet",
            "fortunes" between lines of %, "dialogues" of a game in Lua, or "help" pages in XML.
            Defaults to "plain".
    """

    path: Path
    licence: str
    package: str
    layout: Literal["plain", "wordnet", "fortunes", "dialogues", "help"] = "plain"


@dataclass(frozen=True)
class Language:
    """A language, as far as the synthesisers and the reading of texts must know it.

    Args:
        code: espeak-ng's code of the language, without a country ("de").
        name: English name.
        accents: espeak-ng's accents, the most usual one first. kokoro's speakers have them too.
        letters: small letters of its words; None allows every letter. Defaults to None.
        short_words: words of one letter, each in all its forms; None allows every letter.
        abbreviations: words that a synthesiser must guess how to say, in small letters, separated
            by spaces.
        texts: texts to read sentences from.
    """

    code: str
    name: str
    accents: tuple[str, ...]
    letters: str | None = None
    short_words: str | None = None
    abbreviations: str = ""
    texts: tuple[Text, ...] = ()

    @property
    def other_words(self) -> tuple[str, ...]:
        """Everyday words of one to three syllables; none if the language has no list."""
        if self.code == "en":
            return OTHER_WORDS
        path = Path(__file__).with_name(f"words_{self.code}.txt")
        return tuple(path.read_text(encoding="utf-8").split()) if path.exists() else ()

    def kokoro_styles(self, side: str) -> tuple[str, ...]:
        """Return the names of kokoro's voices of a side, "training" or "held-out".

        Voices of all languages speak a language that is not English: there are few of its own.
        """
        english, others = STYLES[side]
        return tuple((english if self.code == "en" else english + others).split())

    def has_letter(self, character: str) -> bool:
        """Return whether a character is a letter of the language, small or capital."""
        if self.letters is None:
            return character.isalpha()
        return character.lower() in self.letters

    def plain(self, text: str) -> str:
        """Return a text without the accents of letters that the language does not have."""
        if text.isascii():
            return text
        composed = unicodedata.normalize("NFC", text)
        return "".join(c if self.has_letter(c) else without_accents(c) for c in composed)


def without_accents(text: str) -> str:
    """Return a text whose letters have lost their accents: ä becomes a."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")


ENGLISH = Language(
    code="en",
    name="English",
    accents=tuple(ACCENTS.split()),
    letters=A_TO_Z,
    short_words="aAIO",
    abbreviations="etc eg ie ed esp usu adj adv fig inc vol",
    texts=(
        Text(WORDNET / "data.noun", "WordNet 3.0 licence", "wordnet-base", "wordnet"),
        Text(WORDNET / "data.verb", "WordNet 3.0 licence", "wordnet-base", "wordnet"),
        Text(WORDNET / "data.adj", "WordNet 3.0 licence", "wordnet-base", "wordnet"),
        Text(WORDNET / "data.adv", "WordNet 3.0 licence", "wordnet-base", "wordnet"),
        Text(DICTD / "devil.dict.dz", "public domain", "dict-devil"),
        Text(DICTD / "jargon.dict.dz", "public domain", "dict-jargon"),
    ),
)  # fmt: skip
GERMAN = Language(
    code="de",
    name="German",
    accents=("de",),
    letters=f"{A_TO_Z}äöüß",
    short_words="",
    abbreviations=(
        "abk abs allg bes ca ebd etc evtl ggf hrsg inkl max min mio od orig ugs usf usw vgl"
    ),
    texts=(
        Text(FORTUNES / "de/zitate", "GPL-2+", "fortunes-de", "fortunes"),
        Text(FORTUNES / "de/sprichworte", "GPL-2+", "fortunes-de", "fortunes"),
        Text(FORTUNES / "de/stilblueten", "GPL-2+", "fortunes-de", "fortunes"),
    ),
)
FRENCH = Language(
    code="fr",
    name="French",
    accents=("fr-fr", "fr-be", "fr-ch"),
    letters=f"{A_TO_Z}àâæçéèêëîïôœùûüÿ",
    short_words="aAàÀyYôÔ",
    abbreviations="adj adv apr art av env etc ex fig mlle mme mmes",
    texts=(
        Text(DIALOGUES / "*/dialogs_fr.lua", "GPL-2", "fillets-ng-data", "dialogues"),
        Text(HELP / "fr/gnome-help/*.page", "CC-BY-SA-3.0", "gnome-user-docs", "help"),
    ),
)
SPANISH = Language(
    code="es",
    name="Spanish",
    accents=("es", "es-419"),
    letters=f"{A_TO_Z}áéíñóúü",
    short_words="aAyYeEoOuU",
    abbreviations="adj adv art aprox dña etc ej pág sra sras srta ud uds vd vds",
    texts=(Text(FORTUNES / "es/*.fortunes", "public domain", "fortunes-es", "fortunes"),),
)
LANGUAGES = {language.code: language for language in (GERMAN, ENGLISH, SPANISH, FRENCH)}


def find_language(code: str) -> Language:
    """Return a language by its code.

    Args:
        code: "de", "en", "es" or "fr", or espeak-ng's code of another language ("it", "pt-br").

    Raises:
        SynthesisError: espeak-ng is not installed, or knows no such language; the message lists
            those that it knows.
    """
    if code in LANGUAGES:
        return LANGUAGES[code]
    lines = run_program("espeak-ng", "--voices").splitlines()[1:]
    others = {line.split()[1]: line.split()[3] for line in reversed(lines) if "mb/" not in line}
    if code not in others:
        raise SynthesisError(
            f"--language: expected {', '.join(LANGUAGES)} or another of espeak-ng's "
            f"({', '.join(sorted(others))}), found {code!r}"
        )
    return Language(code, others[code].replace("_", " "), (code,))
