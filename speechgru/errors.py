"""This package's errors, and text that is safe to print in their messages."""


class SpeechGRUError(Exception):
    """Base class of the errors that speechgru raises for input that it cannot use."""


class AudioError(SpeechGRUError, ValueError):
    """A source cannot be read as sound. The message names it, what was expected and found."""


class ConversionError(SpeechGRUError, ValueError):
    """A model cannot be converted to LiteRT's builtin operators. The message says what and why."""


class ModelError(SpeechGRUError, ValueError):
    """A file is not a usable model. The message names it, what was expected and found."""


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
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def shorten(text: str, length: int) -> str:
    """Leave out the middle of a long text."""
    return text if len(text) <= length else f"{text[: length // 2]}...{text[-length // 2 :]}"


def show(value: object) -> str:
    """Show a value in a message: its `repr`, printable and short, whatever the object does."""
    try:
        text = repr(value)
    except Exception:  # an object's repr may raise anything; that of an int of 5,000 digits does
        text = f"<{type(value).__name__}>"
    return escape(shorten(text, 200))
