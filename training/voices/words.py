"""The words that are spoken: the commands, words that sound like them, and everyday words."""

import re
from collections.abc import Iterable

from training.voices.errors import SynthesisError

A_TO_Z = "abcdefghijklmnopqrstuvwxyz"
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
RARE_COMMANDS = ("on", "off")  # few free recordings exist of these
SAMPLE_OTHERS = ("banana", "window")  # in the sample sounds beside the commands

# Words that the recogniser must not take for a command: the others of Speech Commands, some that
# sound almost like a command, and everyday ones. None is a command, is pronounced like one, or has
# one as a syllable of its own.
SPEECH_COMMANDS = """
    backward bed bird cat dog eight five follow forward four happy house learn marvin nine one seven
    sheila six three tree two visual wow zero
"""
NEAR_MISSES = """
    yet yell yen yard young year chess guess less dress mess west best jazz nest rest test this if
    snow low nose note node new now noise none nor gnome mow row toe show slow blow nut knot nod
    knock gnaw null
    cup pup op app cub hub tub duck but us uncle under puppy hut shut cut ape gulp
    town gown brown crown drown noun ground found sound dawn done dine dome den
    doubt dumb darn tone sounds
    lift loft lest leaf let leg theft deaf lend length melt laugh laughed loved lived loaf
    ride light ripe rise rice rate rat wide white bright height night might bite fight kite tight
    great grape rye wrap rock rot
    own gone con in arm odd ox want swan fond bond an honest
    cough soft loss moth cloth oven all awful golf wolf hall of
    top step shop stock star start spot state store stone stove chop drop hop mop stamp strap soap
    stuff stuck stub stab stalk sob
    goat gold goal ghost good gum got gull gate grow glow coat code coal cold
    guard gauze ghoul girl
"""
EVERYDAY = """
    apple baby ball basket beach bear blue boat book bottle bread bridge bus butter camera candle
    car chair cheese chicken circle city clock cloud color computer cousin cow dance day dinner
    doctor dollar door dream eagle ear earth egg elephant engine evening eye face family farm father
    feather finger fire fish floor flower food forest friend frog garden glass grass green hair
    hammer hand hat heart heavy hello hill holiday horse hospital hotel hundred island jacket july
    kitchen ladder lake lamp leather lemon letter library lion market matter meadow medicine
    milk minute money monkey moon morning mother mountain mouse music needle number ocean orange
    page paper pencil people picture pillow planet please pocket potato purple queen question
    quick rabbit rain red river road room salt sandwich school sea sister sky sleep small smile
    spoon summer sun swim table teacher telephone thank thunder tiger tomato travel turtle umbrella
    village violin walk water weather week wheel winter woman wood world yellow
"""
OTHER_WORDS = tuple((SPEECH_COMMANDS + NEAR_MISSES + EVERYDAY).split())


def check_word(word: str) -> str:
    """Return the word if every synthesiser can say it and every file system can store it.

    Raises:
        SynthesisError: the word has other characters than the letters a to z.
    """
    if not re.fullmatch("[a-z]+", word):
        raise SynthesisError(f"expected a word of the letters a to z, found {word!r}")
    return word


def check_words(words: Iterable[str]) -> None:
    """Raise SynthesisError at the first word that `check_word` refuses."""
    for word in words:
        check_word(word)
