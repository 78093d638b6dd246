"""A board leaves for maintenance only at rest, cold and off, and says once that it works."""

from kit import Kit

from mfwire import session as s


def watched() -> tuple[Kit, list[str]]:
    kit = Kit()
    told: list[str] = []
    kit.port.on_maintain = lambda: told.append("maintain")
    kit.port.on_confirm = lambda: told.append("confirm")
    return kit, told


def test_it_leaves_when_nothing_moves_and_nothing_is_on():
    kit, told = watched()
    assert kit.say("MAINTAIN") == 0
    kit.run(1000)
    assert told == ["maintain"]


def test_it_stays_while_drivers_or_an_output_are_on_or_a_heater_is_hot():
    kit, _told = watched()
    kit.say("ENABLE", motors=31)
    assert kit.say("MAINTAIN") == s.ENABLED
    kit.say("ENABLE", motors=0)
    kit.say("OUTPUT", output=0, value=30000)
    assert kit.say("MAINTAIN") == s.OUTPUT_ON
    kit.say("OUTPUT", output=0, value=0)
    number = len(kit.machine.outputs)
    kit.say("OUTPUT", output=number, value=400)
    assert kit.say("MAINTAIN") == s.HOT
    kit.say("OUTPUT", output=number, value=0)
    kit.board.heaters[0].now_mc = 50_500
    assert kit.say("MAINTAIN") == s.HOT
    kit.board.heaters[0].now_mc = 49_000
    assert kit.say("MAINTAIN") == 0


def test_it_stays_while_it_moves():
    kit, _told = watched()
    for state in (s.RUNNING, s.TAIL, s.RETREATING):
        kit.board.state = state
        assert kit.say("MAINTAIN") == s.BAD_STATE


def test_it_says_that_its_program_works_once_and_half_a_second_after_it_was_configured():
    kit, told = watched()
    kit.run(490_000)
    assert told == []
    kit.run(20_000)
    assert told == ["confirm"]
    kit.run(2_000_000)
    assert told == ["confirm"]


def test_it_does_not_say_so_while_a_fault_is_latched():
    kit, told = watched()
    kit.board.trip(4, 0)
    kit.run(2_000_000)
    assert told == []
