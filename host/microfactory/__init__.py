"""One open controller for the four machines of the Basic Microfactory."""

from microfactory.board import Board, connect
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
from microfactory.job import Progress
from microfactory.jobfile import JobFile, compile_job
from microfactory.machine import Machine
from microfactory.motion.framing import wire_bytes
from microfactory.motion.gcode import Program, parse
from microfactory.motion.plan import Plan, plan
from microfactory.motion.stretch import Place
from microfactory.record import Record
from microfactory.status import Status

__all__ = [
    "Board",
    "BoardFault",
    "Error",
    "GcodeError",
    "JobError",
    "JobFile",
    "LimitError",
    "LinkError",
    "Machine",
    "MachineError",
    "Place",
    "Plan",
    "Program",
    "Progress",
    "Record",
    "Status",
    "Stopped",
    "UsageError",
    "VerdictError",
    "compile_job",
    "connect",
    "parse",
    "plan",
    "wire_bytes",
]
