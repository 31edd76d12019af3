"""Names that a reader takes for the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.clips.names import comparable, tidy

FORMS = st.sampled_from(["NFC", "NFD"])


@given(name=st.text(), form=FORMS)
def test_unicode_forms_and_blanks_do_not_matter(name, form):
    other = "  " + unicodedata.normalize(form, name) + "\t"
    assert comparable(other) == comparable(name)
    assert tidy(other) == tidy(name)


@given(name=st.text(st.characters(categories=["Lu", "Ll"])))
def test_case_does_not_matter(name):
    assert comparable(name.casefold()) == comparable(name)


@given(name=st.text())
def test_a_comparable_name_is_its_own(name):
    assert comparable(comparable(name)) == comparable(name)


@pytest.mark.parametrize("unseen", ["\u200b", "\u200e", "\u00ad", "\ufeff", "\u2060"])
def test_characters_that_are_not_seen_do_not_matter(unseen):
    assert comparable(f"{unseen}y{unseen}es{unseen}") == "yes"


@pytest.mark.parametrize(("one", "other"), [("yes", "yet"), ("on", "no"), ("a b", "ab")])
def test_other_names_differ(one, other):
    assert comparable(one) != comparable(other)


def test_tidy_keeps_the_case():
    assert tidy(" Lights   On ") == "Lights On"
