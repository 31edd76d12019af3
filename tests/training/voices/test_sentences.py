"""Tests of training/voices/sentences.py."""

# ruff: noqa: RUF001 - marks of printed text look like others

import gzip
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.voices.errors import SynthesisError
from training.voices.languages import ENGLISH, FRENCH, GERMAN, LANGUAGES, SPANISH, Language, Text
from training.voices.sentences import (
    FORBIDDEN,
    Sentence,
    is_held_out,
    normalise,
    read_sentences,
)
from training.voices.words import COMMANDS


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("the sky is blue", "the sky is blue."),
        ("Is the  sky\nblue?", "Is the sky blue?"),
        ("“It’s blue,” said Ann; her café — a well-kept one!", 
         "It's blue, said Ann, her cafe, a well kept one!"),
        ("She sat upon the snow.", "She sat upon the snow."),
        ("a, b and c", None),
        ("It is 5 miles away.", None),
        ("He asked Mr. Smith.", None),
        ("the RAM is full.", None),
        ("write to me_at_home.", None),
        ("Too short.", None),
        (" ".join(["word"] * 21), None),
        ("", None),
        (".", None),
        ("' ' '", None),
    ],
)  # fmt: skip
def test_sentences_are_made_easy_to_say_or_left_out(text, spoken):
    assert normalise(text) == spoken


@pytest.mark.parametrize("word", sorted(FORBIDDEN))
@pytest.mark.parametrize("form", ["{}", "well-{}", "{}'s", "{},", "({})"])
def test_no_sentence_holds_a_command_or_a_word_that_sounds_like_one(word, form):
    for spelled in (word, word.upper(), word.title()):
        assert normalise(f"the old man {form.format(spelled)} here") is None


def test_the_named_homophones_are_forbidden():
    assert {*COMMANDS, "know", "write", "wright", "rite"} <= FORBIDDEN


PIECES = "a the no-one on't up Don't I — , ; ” é ."


@given(st.text() | st.lists(st.sampled_from(PIECES.split())).map(" ".join))
def test_whatever_the_text_is_a_sentence_can_be_said(text):
    if (spoken := normalise(text)) is not None:
        assert re.fullmatch(r"[A-Za-z', ]+[.?!]", spoken)
        words = re.findall("[a-z]+", spoken.lower())
        assert len(words) >= 3
        assert not FORBIDDEN & {*words}
        assert normalise(spoken) == spoken


def test_a_file_is_read_by_sentence_each_once(tmp_path):
    plain, packed = tmp_path / "a.txt", tmp_path / "b.gz"
    plain.write_text("The sky is\nblue. “Is the sky blue?” He asked.\n\nA cat sat there\n", "utf-8")
    packed.write_bytes(gzip.compress(b"the sky is blue. The cat went away."))
    assert read_sentences([plain, packed]) == [
        Sentence("The sky is blue.", "as a.txt"),
        Sentence("Is the sky blue?", "as a.txt"),
        Sentence("A cat sat there.", "as a.txt"),
        Sentence("The cat went away.", "as b.gz"),
    ]


def test_the_examples_of_wordnet_are_read(tmp_path):
    line = '01 n sky 0 @ 02 n | the air above; "the sky was blue"; "he looked up at it"\n'
    assert read_layout(tmp_path, "wordnet", line) == ["the sky was blue."]


def read_layout(folder: Path, layout: str, content: str, language: Language = ENGLISH) -> list[str]:
    """The sentences of a text of a language in two files."""
    (folder / "a").mkdir()
    (folder / "a" / "text").write_text(content, "utf-8")
    (folder / "b").mkdir()
    (folder / "b" / "text").write_text(content.lower(), "utf-8")
    text = Text(folder / "*" / "text", "free", "package", layout)
    found = read_sentences([], replace(language, texts=(text,)))
    assert {sentence.licence for sentence in found} == {"free"}
    return [sentence.text for sentence in found]


def test_fortunes_are_read_without_the_names_below_them(tmp_path):
    content = """Der Mond ist
schön. „Wie wahr ist das?“
\t\t-- Peter Müller
%
Wer sitzt hier? Öl ist teuer.
%
"""
    found = read_layout(tmp_path, "fortunes", content, GERMAN)
    wanted = ["Der Mond ist schön.", "Wie wahr ist das?", "Wer sitzt hier?", "Öl ist teuer."]
    assert found[:4] == wanted
    assert not any("Peter" in sentence for sentence in found)


def test_dialogues_are_read_without_their_originals(tmp_path):
    content = """
dialogId("a", "font", "That is the grail.")
dialogStr("C'est le \\"saint\\" Graal !")
"""
    content = content.replace('\\"', "")
    assert read_layout(tmp_path, "dialogues", content, FRENCH) == ["C'est le saint Graal!"]


def test_help_pages_are_read_without_their_marks(tmp_path):
    content = "<title>La vie</title><p>Fermez la <gui>grande\n fenêtre</gui> &amp;c</p>"
    content += "<p>Ouvrez la <em>porte</em> d&apos;abord.</p>"
    assert read_layout(tmp_path, "help", content, FRENCH) == ["Ouvrez la porte d'abord."]


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        (GERMAN, "Die Straße im „großen“ Ort – schön!", "Die Straße im großen Ort, schön!"),
        (GERMAN, "Das Café ist heute zu.", "Das Cafe ist heute zu."),
        (GERMAN, "Ein Haus usw. ist hier.", None),
        (GERMAN, "Der Plan B gilt.", None),
        (FRENCH, "« L’été à la mer » , dit-il !", "L'été à la mer, dit il!"),
        (FRENCH, "Il y a du boeuf ?", "Il y a du boeuf?"),
        (FRENCH, "Monsieur M parle fort.", None),
        (SPANISH, "¿Dónde está el niño?", "¿Dónde está el niño?"[1:]),
        (SPANISH, "Uno u otro, ¡qué más da!", "Uno u otro, qué más da!"),
        (Language("ru", "Russian", ("ru",)), "Мама мыла раму", "Мама мыла раму."),
        (Language("ru", "Russian", ("ru",)), "Мама мыла 2 рамы", None),
    ],
)
def test_sentences_have_the_letters_of_their_language(language, text, spoken):
    assert normalise(text, language) == spoken
    if spoken:
        assert normalise(spoken, language) == spoken


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("Turn the lights off, please.", True),
        ("He turned LIGHTS OFF today.", True),
        ("With the lights, off we went.", True),
        ("The lights are never off.", False),
        ("The flights offered today are cheap.", False),
        ("What's the play, music or dance?", True),
        ("They play the music.", False),
        ("It's a robot's dream.", True),
        ("The robots are here.", False),
        ("The lamp went on again.", False),
    ],
)
def test_a_phrase_is_forbidden_but_not_its_single_words(text, forbidden):
    phrases = frozenset(["Lights off", "play music", "robot"])
    assert (normalise(text, ENGLISH, phrases) is None) == forbidden


def test_forbidden_phrases_are_compared_as_the_language_writes_them():
    assert (
        normalise("Die GROSSE STRASSE ist leer.".title(), GERMAN, frozenset(["große straße"]))
        is None
    )
    assert normalise("Eine grosse Strasse ist leer.", GERMAN, frozenset(["große straße"])) is None
    assert normalise("We met at the café bar.", ENGLISH, frozenset(["café bar"])) is None
    assert normalise("Voilà, c'est d'accord.", FRENCH, frozenset(["d'accord"])) is None


def test_a_text_that_is_not_installed_names_its_package(tmp_path):
    text = Text(tmp_path / "*" / "devil.dict.dz", "public domain", "dict-devil")
    with pytest.raises(SynthesisError, match="install the Debian package dict-devil"):
        read_sentences([], replace(ENGLISH, texts=(text,)))


def test_a_language_without_texts_needs_files(tmp_path):
    italian = Language("it", "Italian", ("it",))
    with pytest.raises(
        SynthesisError, match=r"Italian: expected files with sentences.* only German"
    ):
        read_sentences([], italian)
    (tmp_path / "a.txt").write_text("Perché il cielo è blu? Non so.", "utf-8")
    found = read_sentences([tmp_path / "a.txt"], italian)
    assert found == [Sentence("Perché il cielo è blu?", "as a.txt")]


# Without the time: the processes of pytest-xdist must collect the same tests.
PACKED = gzip.compress(b"the sky is blue" * 99, mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\xff\xfe\x00 the sky", "a.txt: expected text in UTF-8"),
        ("a.gz", b"the sky is blue", "a.gz: expected text in UTF-8"),
        ("a.gz", PACKED[:-20], "a.gz: expected text in UTF-8"),
        ("a.gz", PACKED[:10] + b"\xff" * 9, "a.gz: expected text in UTF"),
        ("a.txt", b"Stop! Go on. Yes.", "a.txt: expected sentences without a command, found none"),
        ("a.txt", b"", "a.txt: expected sentences without a command, found none"),
    ],
)
def test_a_file_without_sentences_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SynthesisError, match=message):
        read_sentences([tmp_path / name])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.txt"):
        read_sentences([tmp_path / "none.txt"])


def test_a_third_of_the_sentences_is_held_out_whatever_their_letter_case():
    texts = [f"the cat saw {a} and {b}." for a in COMMANDS for b in range(60)]
    assert 150 < sum(is_held_out(Sentence(text, "")) for text in texts) < 250
    for text in texts:
        assert is_held_out(Sentence(text, "a")) == is_held_out(Sentence(text.upper(), "b"))


def is_installed(language: Language) -> bool:
    return all([*Path("/").glob(str(text.path)[1:])] for text in language.texts)


def test_the_english_texts_give_thousands_of_sentences_without_commands():
    if not is_installed(ENGLISH):
        pytest.skip(
            "the Debian packages wordnet-base, dict-devil and dict-jargon are not installed"
        )
    found = read_sentences([])
    assert len(found) > 30_000
    assert len({sentence.licence for sentence in found}) == 2
    for sentence in found:
        assert not FORBIDDEN & {*re.findall("[a-z]+", sentence.text.lower())}


@pytest.mark.parametrize("code", ["de", "es", "fr"])
def test_the_texts_of_other_languages_give_thousands_of_sentences(code):
    language = LANGUAGES[code]
    if not is_installed(language):
        pytest.skip(f"{', '.join({text.package for text in language.texts})} not installed")
    assert len(read_sentences([], language, ["radio"])) > 3_000
