"""Every test has its own state folder, and leaves no simulated board with power."""

import pytest
from hil.flash_twin.pico import unplug_all


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))
    yield tmp_path / "state"
    unplug_all()
