"""What the program prints, as numbers."""

import dataclasses

import numpy as np
import numpy.typing as npt


@dataclasses.dataclass(frozen=True)
class Detection:
    """A detection: label, end of the word in samples from the start, confidence."""

    label: str
    sample: int
    confidence: float


@dataclasses.dataclass
class Stream:
    """The results of one stream.

    Attributes:
        detections: in their order.
        scores: after each block, one row a block; none of a stream in uneven blocks.
        ticks: of the counter, in all blocks.
        longest: ticks of the longest block.
        blocks: number of blocks.
    """

    detections: list[Detection] = dataclasses.field(default_factory=list)
    scores: list[npt.NDArray[np.float32]] = dataclasses.field(default_factory=list)
    ticks: int = 0
    longest: int = 0
    blocks: int = 0


@dataclasses.dataclass
class Output:
    """All that the program prints.

    Attributes:
        streams: in the order of input.bin.
        calibration: instructions of a loop of known length, and the ticks that it took.
        hops_per_second: of sound.
        state_bytes: size of kws_t.
        stack_bytes: greatest stack of kws_feed() and kws_finish().
    """

    streams: list[Stream]
    calibration: tuple[int, int]
    hops_per_second: float
    state_bytes: int
    stack_bytes: int

    @property
    def instructions_per_tick(self) -> float:
        """By the loop of known length; 0 where nothing is counted."""
        instructions, ticks = self.calibration
        return instructions / ticks if ticks else 0.0


def parse(text: str) -> Output:
    """Parse what the program printed.

    Raises:
        ValueError: the program did not run to its end; the message is what it printed last.
    """
    output = Output([], (0, 0), 0.0, 0, 0)
    finished = False
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "stream":
            output.streams.append(Stream())
        elif kind == "scores":
            output.streams[-1].scores.append(_floats(rest))
        elif kind == "detection":
            label, _, numbers = rest.partition("\t")
            sample, bits = numbers.split()
            confidence = float(_floats(bits)[0])
            output.streams[-1].detections.append(Detection(label, int(sample), confidence))
        elif kind == "ticks":
            stream = output.streams[-1]
            stream.ticks, stream.longest, stream.blocks = map(int, rest.split())
        elif kind == "calibration":
            instructions, ticks = map(int, rest.split())
            output.calibration = instructions, ticks
        elif kind == "sizes":
            rate, hop, output.state_bytes, output.stack_bytes = map(int, rest.split())
            output.hops_per_second = rate / hop
            finished = True
    if not finished:
        raise ValueError(text[-200:].strip() or "nothing was printed")
    return output


def _floats(bits: str) -> npt.NDArray[np.float32]:
    return np.array([int(word, 16) for word in bits.split()], np.uint32).view(np.float32)
