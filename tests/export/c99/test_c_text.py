"""C text of numbers and strings: it reads back as the same value."""

import ast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from export.c99.c_text import WIDTH, array, comment_text, define, number, string


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_as_itself(value):
    text = number(np.float32(value))
    assert text.endswith("f")
    assert set(text) & set(".e")  # "1f" is no C constant
    assert np.float32(text[:-1]) == np.float32(value)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_string_reads_back_as_its_utf_8(text):
    literal = string(text)
    assert literal.isascii()
    assert "??" not in literal  # the beginning of a trigraph
    assert ast.literal_eval(f"b{literal}") == text.encode()  # octal escapes are those of Python


def test_a_digit_after_an_escape_is_not_a_part_of_it():
    assert string("\u00e97") == '"\\303\\2517"'


@given(text=st.text("*/ a\u00e9"))
def test_a_text_does_not_end_its_comment(text):
    assert "*/" not in comment_text(text)
    assert "/*" not in comment_text(text)
    assert comment_text(text).isascii()


def test_an_array_has_short_lines_and_all_values():
    text = array("int8_t", "weights", np.arange(-128, 128), "All.")
    assert max(map(len, text.splitlines())) <= WIDTH
    numbers = text[text.index("{") + 1 : text.index("}")]
    assert [int(one) for one in numbers.split(",")] == list(range(-128, 128))
    assert text.startswith("/* All. */\nstatic const int8_t weights[256] = {")


def test_a_negative_macro_is_in_parentheses():
    assert define("UNKNOWN", -1) == "#define UNKNOWN (-1)\n"
