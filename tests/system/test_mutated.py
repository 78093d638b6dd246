"""Spoilt programs end in one sentence, or are played as they say (`make mutated`: 1,000)."""

from hil import mutated


def test_spoilt_programs_are_refused_or_played_within_what_they_say(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path))
    found = [mutated.play(number, 7) for number in range(60)]
    assert [each for each in found if each["wrong"]] == []
    ends = {each["ended"] for each in found}
    assert {"GcodeError", "played"} <= ends
    assert all(each["pulses"] for each in found if each["ended"] == "played")
