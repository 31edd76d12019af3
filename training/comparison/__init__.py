"""Comparison of recurrent cells: plain RNN, LSTM and the forms of the GRU.

In the `experiments`, a `learner` trains each of the `cells` on the same `tasks`. `report` writes
the tables and pictures.
"""
