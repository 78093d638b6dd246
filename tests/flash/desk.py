"""A desk with simulated boards, and a plan for them; for the tests of flashing."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

from hil.flash_twin.images import FAMILY, micropython_image
from hil.flash_twin.images import uf2 as uf2_of
from hil.flash_twin.pico import Desk, Pico

from microfactory import Machine
from microfactory.flash import uf2
from microfactory.flash.chips import RP2040
from microfactory.flash.flow import Plan, Result, flash, planned
from microfactory.flash.payload import Payload, build

MACHINE = Machine.load("circuit-plotter")
UF2 = uf2_of(micropython_image("RP2040"), FAMILY["RP2040"])


@lru_cache
def payload(number: int = 1) -> Payload:
    """The firmware of this tree."""
    return build(MACHINE, RP2040, number)


def plan(with_uf2: bool = True, number: int = 1, **rest: Any) -> Plan:
    image = uf2.read(UF2, "micropython.uf2") if with_uf2 else None
    return planned(MACHINE, image, payload(number), **rest)


def micropython(number: int = 1) -> Pico:
    """A board with MicroPython and nothing else."""
    pico = Pico("RP2040", (1, number), number)
    data = micropython_image("RP2040")
    pico.flash.data[: len(data)] = data
    return pico.plug_in()


def blank(number: int = 1) -> Pico:
    """A board as it comes from the shop."""
    return Pico("RP2040", (1, number), number).plug_in()


def flashed(pico: Pico, the_plan: Plan, person: Any = None) -> Result:
    told: list[float] = []
    result = flash(Desk(pico), pico.where, the_plan, lambda s, t: told.append(s), person)
    assert all(a <= b for a, b in pairwise(told)), "the bar goes back"
    return result


def no_person(where: str, picture: str) -> None:
    raise AssertionError("nobody is to be asked")
