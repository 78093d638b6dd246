"""The one place that knows how the core tells of errors: status codes to exceptions."""

from __future__ import annotations

from microfactory._core import ffi, lib
from microfactory.errors import Error, LimitError, UsageError

__all__ = ["CODES", "MEANING", "check", "ffi", "lib"]

CODES = {
    lib.MF_E_ARGUMENT: UsageError,
    lib.MF_E_SPACE: UsageError,
    lib.MF_E_LIMIT: LimitError,
    lib.MF_E_WORD: UsageError,
    lib.MF_E_NUMBER: UsageError,
    lib.MF_E_CODE: UsageError,
    lib.MF_E_ARC: UsageError,
    lib.MF_E_TRAVEL: LimitError,
    lib.MF_E_STATE: UsageError,
}
MEANING = "nothing was moved; this is a value the planner refuses"


def check(status: int, doing: str) -> None:
    """Raise what a status means; MF_OK passes. doing: what was tried, for the message."""
    if status != lib.MF_OK:
        kind: type[Error] = CODES[status]
        text = ffi.string(lib.mf_status_text(status)).decode()
        raise kind(f"{doing}: {text}; {MEANING}")
