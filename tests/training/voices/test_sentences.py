"""Tests of training/voices/sentences.py."""

# ruff: noqa: RUF001 - marks of printed text look like others

import gzip
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.voices import sentences
from training.voices.errors import SynthesisError
from training.voices.sentences import (
    FORBIDDEN,
    Sentence,
    Text,
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


def test_the_examples_of_wordnet_are_read(tmp_path, monkeypatch):
    line = '01 n sky 0 @ 02 n | the air above; "the sky was blue"; "he looked up at it"\n'
    (tmp_path / "data.noun").write_text(line)
    monkeypatch.setattr(sentences, "WORDNET", tmp_path)
    monkeypatch.setattr(sentences, "TEXTS", [Text(tmp_path / "data.noun", "free", "wordnet-base")])
    assert read_sentences([]) == [Sentence("the sky was blue.", "free")]


def test_a_text_that_is_not_installed_names_its_package(tmp_path, monkeypatch):
    texts = [Text(tmp_path / "devil.dict.dz", "public domain", "dict-devil")]
    monkeypatch.setattr(sentences, "TEXTS", texts)
    with pytest.raises(SynthesisError, match="install the Debian package dict-devil"):
        read_sentences([])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\xff\xfe\x00 the sky", "a.txt: expected text in UTF-8"),
        ("a.gz", b"the sky is blue", "a.gz: expected text in UTF-8"),
        ("a.gz", gzip.compress(b"the sky is blue" * 99)[:-20], "a.gz: expected text in UTF-8"),
        (
            "a.gz",
            gzip.compress(b"the sky is blue")[:10] + b"\xff" * 9,
            "a.gz: expected text in UTF",
        ),
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


def test_the_default_texts_give_thousands_of_sentences_without_commands():
    if not all(Path(text.path).exists() for text in sentences.TEXTS):
        pytest.skip(
            "the Debian packages wordnet-base, dict-devil and dict-jargon are not installed"
        )
    found = read_sentences([])
    assert len(found) > 30_000
    assert len({sentence.licence for sentence in found}) == 2
    for sentence in found:
        assert not FORBIDDEN & {*re.findall("[a-z]+", sentence.text.lower())}
