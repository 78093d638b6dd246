"""The emulated rig's tests: skipped, with the reason, where image, boot ROM or node are missing."""

from __future__ import annotations

import pytest
from hil.emulated.chip import missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = missing()
    if reason:
        for item in items:
            if "tests/emulated" in item.path.as_posix():
                item.add_marker(pytest.mark.skip(reason=reason))
