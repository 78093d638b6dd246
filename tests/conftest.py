"""Options and settings of all tests: seeds are fixed, so the same tree gives the same answer."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("fixed")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("microfactory")
    group.addoption("--cuts", type=int, default=200, help="random instants at which a link dies")
    group.addoption("--damaged", type=int, default=100_000, help="damaged frames for the decoder")
    group.addoption("--seed", type=int, default=1, help="seed of those instants")
    group.addoption(
        "--rewrite-golden", action="store_true", help="write the golden texts anew; review the diff"
    )


@pytest.fixture
def cuts(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--cuts"))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--seed"))
