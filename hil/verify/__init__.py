"""The verifier says whether the pulses did what the program asked.

It shares no code with the planner and the step maker: it reads G-code by itself, expands windows
by itself, and judges edges at the pins.
"""

from hil.verify.judge import verify
from hil.verify.reader import ReadError
from hil.verify.verdict import Report, Violation
from hil.verify.windows import verify_job

__all__ = ["ReadError", "Report", "Violation", "verify", "verify_job"]
