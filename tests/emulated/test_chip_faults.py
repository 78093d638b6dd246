"""A chip that hangs, is reset, or hears nonsense in the middle of a job."""

import pytest
from hil.emulated.faults import KINDS, MACHINES, Hurt


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_in_the_middle_of_a_job_ends_in_rest_or_changes_nothing(kind):
    bench = Hurt(MACHINES[KINDS.index(kind) % len(MACHINES)], 5)
    try:
        found = bench.hurt(kind)
    finally:
        bench.close()
    assert found["wrong"] == ""
