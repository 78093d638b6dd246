"""Updates in two slots: power cut before and inside every flash operation, on the real littlefs."""

import copy
import hashlib
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hil.flash_twin.lfs import LfsFiles
from hil.flash_twin.nor import Nor, PowerCutError

from mfboot import slots

BLOCKS = 48
CALIBRATION = b'{"x": 80.02}'


def program(number: int) -> dict[str, bytes]:
    """Files of a version, some longer than a flash block."""
    draw = random.Random(number)
    sizes = {"app.mpy": 900, "mfboard/board.mpy": 5000, "mfwire/crc.mpy": 300}
    return {name: draw.randbytes(size) for name, size in sizes.items()}


def manifest(number: int) -> bytes:
    files = {
        name: [len(data), hashlib.sha256(data).hexdigest()]
        for name, data in program(number).items()
    }
    return json.dumps({"version": f"0.{number}", "number": number, "files": files}).encode()


def update(files: LfsFiles, number: int) -> str:
    slot = slots.begin(files)
    for name, data in program(number).items():
        slots.put(files, slot, name, data)
    slots.finish(files, slot, manifest(number))
    return slot


def runs(files: LfsFiles) -> int:
    """The version that a start runs, every byte of it compared; 0: none."""
    slot, _trial = slots.choose(files)
    if slot is None:
        return 0
    number = slots.manifest(files, slot)["number"]
    for name, data in program(number).items():
        assert files.read(f"/{slot}/{name}") == data, "a mixture"
    return number


def board(trial: bool = False) -> Nor:
    """Version 1 runs, confirmed; with trial version 2 waits for its first start."""
    nor = Nor(BLOCKS * 4096)
    files = LfsFiles(nor, fresh=True)
    files.folder("/me")
    files.write("/me/calibration.json", CALIBRATION)
    update(files, 1)
    if trial:
        update(files, 2)
    return nor


def test_an_update_runs_on_trial_and_stays_once_confirmed():
    files = LfsFiles(board())
    assert runs(files) == 1
    slot = update(files, 2)
    assert slot == "b"
    assert slots.choose(files) == ("b", True)
    assert slots.confirm(files, "b")
    assert not slots.confirm(files, "b")
    assert slots.choose(files) == ("b", False)
    assert update(files, 3) == "a"
    assert runs(files) == 3


def test_a_trial_that_is_never_confirmed_ends_by_itself():
    files = LfsFiles(board(trial=True))
    assert [runs(files) for _ in range(5)] == [2, 2, 2, 1, 1]
    assert slots.selection(files) == {"good": "a", "failed": "b"}


def test_a_damaged_slot_is_never_run():
    files = LfsFiles(board(trial=True))
    data = bytearray(files.read("/b/app.mpy"))
    data[17] ^= 1
    files.write("/b/app.mpy", bytes(data))
    assert runs(files) == 1
    files.remove("/a/mfwire/crc.mpy")
    assert runs(files) == 0  # neither is whole: the board stays in its REPL
    assert update(files, 4) == "a"
    assert runs(files) == 4


def test_an_older_release_is_refused_unless_it_is_meant():
    files = LfsFiles(board(trial=True))
    slots.choose(files)
    slots.confirm(files, "b")
    slot = slots.begin(files)
    for name, data in program(1).items():
        slots.put(files, slot, name, data)
    with pytest.raises(slots.SlotError, match="number 1 is older than 2"):
        slots.finish(files, slot, manifest(1))
    assert runs(files) == 2
    slots.finish(files, slot, manifest(1), older=True)
    assert runs(files) == 1


def test_a_file_that_came_over_damaged_is_refused_before_the_slot_counts():
    files = LfsFiles(board())
    slot = slots.begin(files)
    for name, data in program(2).items():
        slots.put(files, slot, name, data[:-1])
    with pytest.raises(slots.SlotError, match="not what the manifest says"):
        slots.finish(files, slot, manifest(2))
    assert runs(files) == 1


def life(nor: Nor) -> None:
    """What may be cut: an update, its first start, and its confirmation."""
    files = LfsFiles(nor)
    update(files, 2)
    files = LfsFiles(nor)
    slot, _trial = slots.choose(files)
    slots.confirm(files, slot)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("torn", [None, 0.1, 0.5, 0.9])
def test_a_power_cut_anywhere_leaves_the_old_version_or_the_new_one(torn, seed):
    start = board()
    whole = copy.deepcopy(start)
    life(whole)
    operations = whole.operations - start.operations
    assert operations > 40
    seen = []
    for cut in range(operations):
        nor = copy.deepcopy(start)
        nor.seed = seed
        nor.plan_cut(cut, torn)
        with pytest.raises(PowerCutError):
            life(nor)
        files = LfsFiles(nor)  # it can be mounted
        number = runs(files)
        assert number in (1, 2), f"cut {cut}: no program runs"
        seen.append(number)
        assert files.read("/me/calibration.json") == CALIBRATION
        if cut % 5 == 0:
            update(files, 3)  # and it can be updated again
            assert runs(LfsFiles(nor)) == 3
    assert set(seen) == {1, 2}


def test_a_power_cut_in_a_falling_back_leaves_a_program():
    start = board(trial=True)
    for cut in range(30):
        nor = copy.deepcopy(start)
        nor.plan_cut(cut, 0.5)
        try:
            for _ in range(5):
                runs(LfsFiles(nor))
        except PowerCutError:
            assert runs(LfsFiles(nor)) in (1, 2)
            assert [runs(LfsFiles(nor)) for _ in range(4)][-1] == 1


def test_the_same_on_the_real_micropython_with_its_own_littlefs():
    program_file = shutil.which("micropython", path=Path(sys.executable).parent)
    script = Path(__file__).with_name("slots_on_micropython.py")
    done = subprocess.run(
        [program_file, "-X", "heapsize=16M", script, "1"],
        env={"MICROPYPATH": str(script.parents[2] / "firmware")},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    points, old, new = map(int, done.stdout.split())
    assert points > 150
    assert old + new == points
    assert old > 0 < new
