"""The four forms in which a model can be exported."""

from typing import Literal, get_args

Quantization = Literal["none", "float16", "dynamic", "int8"]
QUANTIZATIONS: tuple[Quantization, ...] = get_args(Quantization)
DEFAULT: Quantization = "dynamic"
