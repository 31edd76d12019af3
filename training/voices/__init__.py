"""Free speech synthesisers: training clips of any words, and the repository's sample sounds."""
