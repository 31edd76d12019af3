"""The examples, shortened: each beats its baseline."""

import numpy as np

from examples import forecast, text


def test_a_series_is_forecast_better_than_by_its_last_value(capsys):
    assert forecast.main(["--length", "3000", "--epochs", "2"]) < 0.6
    assert "RMSE: network" in capsys.readouterr().out


def test_the_value_to_forecast_is_ahead_of_the_run():
    x, y = forecast.windows(np.arange(300.0))
    np.testing.assert_array_equal(x[:, -1] + forecast.AHEAD, y)


def test_text_is_guessed_better_than_by_pairs(capsys):
    network, pairs = text.main(["--characters", "60000", "--epochs", "4"])
    assert network < pairs
    assert "The " in capsys.readouterr().out


def test_pairs_of_a_text_that_repeats_cost_no_bits():
    codes = np.tile([0, 1, 2], 2000)
    assert text.bits_of_pairs(codes, codes, 3) < 0.01
