"""The whole firmware plays a job from a card without a host: every edge of the job is judged."""

from hil.emulated.card_play import whole


def test_a_job_from_a_card_is_played_to_the_clock_without_a_host():
    found = whole("short_board", "circuit-plotter")
    assert found["wrong"] == ""
    assert found["pulses"] > 20_000
    assert found["blocks_written"] > 10  # the journal
    assert found["memory_free_least_bytes"] > 8_000
