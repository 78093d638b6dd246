"""A bench with a card for the tests of jobs without a host."""

import pytest
from cardkit import USED, Bench


@pytest.fixture(autouse=True)
def _released():
    yield
    while USED:
        USED.pop().release()


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.bind()
    return bench
