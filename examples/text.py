"""Write English one character at a time with speechgru.GRU, against counts of pairs of characters.

    python examples/text.py

It learns from the manual that comes with Python (pydoc's topics). The score is bits a character on
the last tenth, which nothing is learnt from: 1.82 for the network, and 3.62 for the baseline, which
guesses each character from the one before.
"""

import argparse
import os
from pydoc_data.topics import topics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from speechgru import GRU

STEPS = 100
UNITS = 128


def bits_of_pairs(learnt: np.ndarray, test: np.ndarray, symbols: int) -> float:
    """Bits a character by the counts of pairs, each with 0.1 added."""
    counts = np.full((symbols, symbols), 0.1)
    np.add.at(counts, (learnt[:-1], learnt[1:]), 1)
    share = counts / counts.sum(axis=1, keepdims=True)
    return float(-np.log2(share[test[:-1], test[1:]]).mean())


def write(model: keras.Model, text: str, alphabet: list[str], length: int, seed: int = 0) -> str:
    """Go on with a text, each character drawn from what the model thinks of it."""
    rng = np.random.default_rng(seed)
    for _ in range(length):
        heard = [alphabet.index(c) for c in text[-STEPS:].rjust(STEPS)]
        logits = model.predict_on_batch(np.array([heard]))[0, -1].astype(float)
        share = np.exp(logits - logits.max())
        text += alphabet[rng.choice(len(alphabet), p=share / share.sum())]
    return text


def main(arguments: list[str] | None = None) -> tuple[float, float]:
    """Train and compare; returns bits a character of the network and of the pairs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=int, default=300_000, help="of the manual")
    parser.add_argument("--epochs", type=int, default=8)
    parsed = parser.parse_args(arguments)
    keras.utils.set_random_seed(0)
    text = "\n".join(topics[name] for name in sorted(topics))[: parsed.characters]
    alphabet = sorted({*text, " "})
    codes = np.array([alphabet.index(character) for character in text])
    learnt, test = np.split(codes, [9 * len(codes) // 10])
    pairs = bits_of_pairs(learnt, test, len(alphabet))

    model = keras.Sequential([
        keras.Input((STEPS,), dtype="int32"),
        keras.layers.Embedding(len(alphabet), 32),
        GRU(UNITS, return_sequences=True),
        keras.layers.Dense(len(alphabet)),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(5e-3), loss)

    def blocks(own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole = own[: (len(own) - 1) // STEPS * STEPS + 1]
        return whole[:-1].reshape(-1, STEPS), whole[1:].reshape(-1, STEPS)

    model.fit(*blocks(learnt), batch_size=32, epochs=parsed.epochs, verbose=0)
    bits = float(model.evaluate(*blocks(test), verbose=0) / np.log(2))
    print(f"bits a character: network {bits:.2f}, pairs {pairs:.2f}")
    print(write(model, "The ", alphabet, 200))
    return bits, pairs


if __name__ == "__main__":
    main()
