"""The gated recurrent unit as Keras layers: `GRU` runs over a sequence, `GRUCell` one step."""

from speechgru.gru.cell import GRUCell
from speechgru.gru.layer import GRU

__all__ = ["GRU", "GRUCell"]
