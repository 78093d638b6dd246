"""Whole numbers that know how large they may get on the chip."""

from __future__ import annotations


class Small(int):
    """A whole number that MicroPython keeps without the heap on a 32-bit chip, or an error."""

    def __new__(cls, value: int) -> Small:
        assert -(1 << 30) <= value < 1 << 30, f"{value} needs the heap"
        return super().__new__(cls, value)


def small(name: str):
    """An operator of int that gives a Small."""
    whole = getattr(int, name)
    return lambda self, *other: Small(whole(self, *other))


for operator in ("add", "radd", "sub", "rsub", "mul", "rmul", "floordiv", "rfloordiv", "mod"):
    setattr(Small, f"__{operator}__", small(f"__{operator}__"))
for operator in ("lshift", "rshift", "and", "neg"):
    setattr(Small, f"__{operator}__", small(f"__{operator}__"))


def made_small(thing: object) -> None:
    """Every number that an object keeps."""
    for name, value in vars(thing).items():
        if type(value) is int:
            setattr(thing, name, Small(value))
