"""One tree of errors. Each says what is wrong, where, what happens now and what to do.

The exit code of the command line belongs to the class: docs/exit-codes.md lists them.
"""

from __future__ import annotations


class Error(Exception):
    """Everything that microfactory raises on purpose."""

    exit_code = 1


class UsageError(Error):
    """The caller asked for something that cannot be: a missing file, a value out of range."""

    exit_code = 2


class MachineError(UsageError):
    """A machine or board file that cannot be used; file and line are in the message."""

    exit_code = 3


class GcodeError(UsageError):
    """A program that cannot be read or must not be run.

    line and column count from 1; word is the text that was found there.
    """

    exit_code = 4

    def __init__(self, message: str, line: int = 0, column: int = 0, word: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.word = word


class LimitError(GcodeError):
    """A move outside the travel, cold extrusion, or a value above a limit."""

    exit_code = 5


class JobError(UsageError):
    """A job file that is damaged, cut short, or made for another machine or firmware."""

    exit_code = 6


class LinkError(Error):
    """The wire: a port that is not there or busy, a board that does not answer or is another."""

    exit_code = 7


class BoardFault(Error):
    """The board stopped and latched a fault. code is the number, see docs/protocol.md."""

    exit_code = 8

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class Stopped(Error):
    """A job that stopped on its path before its end: held, cut, or stopped by the operator."""

    exit_code = 9


class VerdictError(Error):
    """The verifier found a violation."""

    exit_code = 10


class FlashError(Error):
    """A board that cannot be flashed, a file that must not be flashed, a release not to trust."""

    exit_code = 11
