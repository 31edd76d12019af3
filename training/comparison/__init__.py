"""GRU, LSTM and plain RNN trained side by side."""
