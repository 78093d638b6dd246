"""One open controller for the four machines of the Basic Microfactory."""

from microfactory.errors import (
    BoardFault,
    Error,
    GcodeError,
    JobError,
    LimitError,
    LinkError,
    MachineError,
    Stopped,
    UsageError,
    VerdictError,
)
from microfactory.machine import Machine
from microfactory.motion.gcode import Program, parse
from microfactory.motion.plan import Plan, plan

__all__ = [
    "BoardFault",
    "Error",
    "GcodeError",
    "JobError",
    "LimitError",
    "LinkError",
    "Machine",
    "MachineError",
    "Plan",
    "Program",
    "Stopped",
    "UsageError",
    "VerdictError",
    "parse",
    "plan",
]
