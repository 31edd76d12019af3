"""Evaluation of a trained model on clips it was not trained on."""
