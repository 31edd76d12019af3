"""Names of words and files that a reader takes for the same: Unicode forms, case and blanks."""

import unicodedata


def tidy(name: str) -> str:
    """Return a name in composed form (NFC), without surrounding blanks, inner blanks single."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def comparable(name: str) -> str:
    """Return a form of a name for comparison: without case, Unicode form and extra blanks.

    This is the compatibility caseless match of the Unicode standard (section 3.13, D146), without
    characters that are not seen, such as zero-width ones, marks of direction and soft hyphens.

    Example:
        >>> comparable("Cafe\\u0301 ") == comparable("CAF\\u00c9")
        True
    """
    if not name.isascii():
        name = unicodedata.normalize("NFD", without_unseen(name)).casefold()
        name = unicodedata.normalize("NFKD", name).casefold()
        name = unicodedata.normalize("NFKD", name)
    return " ".join(name.casefold().split())


def without_unseen(text: str) -> str:
    """Leave out the characters of Unicode category Cf, which only format text."""
    if text.isascii():
        return text
    return "".join(char for char in text if unicodedata.category(char) != "Cf")
