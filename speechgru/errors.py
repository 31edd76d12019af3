"""The base of this package's errors, and text that is safe to print in a message."""


class SpeechGRUError(Exception):
    """Base class of the errors that speechgru raises for unusable input.

    `AudioError` and `ModelError` derive from it, and from ValueError.
    """


def escape(text: str) -> str:
    r"""Replace characters that a terminal would act on by escapes such as ``\x1b`` or ``\u202e``.

    These are the characters that Python's `repr` escapes: control and format characters, line
    breaks, lone surrogates and spaces other than the ASCII space. Backslashes do not change.

    Args:
        text: any text, such as a file name.

    Returns:
        One line of printable text.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
