"""Names of words and files that a reader takes for the same: Unicode forms, case and blanks."""

import unicodedata


def tidy(name: str) -> str:
    """Return a name in composed form (NFC), without surrounding blanks, inner blanks single."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def comparable(name: str) -> str:
    """Return a form of a name for comparison: without case, Unicode form and extra blanks.

    This is the compatibility caseless match of the Unicode standard (section 3.13, D146).

    Example:
        >>> comparable("Cafe\\u0301 ") == comparable("CAF\\u00c9")
        True
    """
    if not name.isascii():
        name = unicodedata.normalize("NFD", name).casefold()
        name = unicodedata.normalize("NFKD", name).casefold()
        name = unicodedata.normalize("NFKD", name)
    return " ".join(name.casefold().split())
