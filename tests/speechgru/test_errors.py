"""The errors' base class, and names made printable for messages."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import speechgru
from speechgru.errors import escape, shorten, show


@pytest.mark.parametrize("error", [speechgru.AudioError, speechgru.ModelError])
def test_every_error_has_one_base_and_is_a_value_error(error):
    assert issubclass(error, speechgru.SpeechGRUError)
    assert issubclass(error, ValueError)
    assert not issubclass(speechgru.SpeechGRUError, ValueError)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b/ü日本.wav", "a b/ü日本.wav"),
        (r"C:\sounds\new.wav", r"C:\sounds\new.wav"),
        ("a\x1b[31m.wav", r"a\x1b[31m.wav"),
        ("x\nb\r\t", r"x\nb\r\t"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("evil\u202egnp.wav", r"evil\u202egnp.wav"),
        ("\u2028\u2066", r"\u2028\u2066"),
        ("not text \udcff", r"not text \udcff"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_characters_that_act_on_a_terminal_are_escaped(text, expected):
    assert escape(text) == expected


@given(st.text(st.characters(), max_size=30))
def test_escaped_text_is_printable_and_keeps_all_printable_characters(text):
    escaped = escape(text)
    assert escaped.isprintable()
    assert escape(escaped) == escaped
    assert len(json.dumps(escaped)) >= 2  # no lone surrogate is left
    escaped.encode("utf-8")


def test_a_long_text_is_shortened_in_the_middle():
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("a" * 50 + "b" * 50, 10) == "aaaaa...bbbbb"


def test_any_value_can_be_shown():
    class Hostile:
        def __repr__(self):
            raise RuntimeError

    assert show("16000") == "'16000'"
    assert show("a\x1b") == r"'a\x1b'"
    assert show(10**5000) == "<int>"
    assert show(Hostile()) == "<Hostile>"
    assert len(show("x" * 10**6)) < 300
