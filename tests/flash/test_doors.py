"""Whatever stands in a file or on a board: an answer or one sentence, never a traceback."""

import contextlib
import json

from hil.flash_twin.images import FAMILY, micropython_image
from hil.flash_twin.images import uf2 as uf2_of
from hypothesis import given, settings
from hypothesis import strategies as st

from microfactory.errors import FlashError
from microfactory.flash import binaryinfo, image, release, uf2, units

GOOD = uf2_of(micropython_image("RP2040"), FAMILY["RP2040"])
DRIVE = image.make({"/me/identity.json": b"{}", "/a/app.mpy": bytes(9000)}, 32 * 4096)
CHANGES = st.lists(st.tuples(st.integers(0, 2**20), st.integers(1, 255)), min_size=1, max_size=12)


def changed(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    out = bytearray(data)
    for at, mask in changes:
        out[at % len(out)] ^= mask
    return bytes(out)


@settings(max_examples=60)
@given(CHANGES, st.integers(0, 600))
def test_a_spoilt_uf2_file_is_read_or_refused(changes, cut):
    data = changed(GOOD, changes)
    found, said = None, "spoilt.uf2"
    try:
        found = uf2.read(data[: len(data) - cut], "spoilt.uf2")
    except FlashError as error:
        said = str(error)
    assert said.startswith("spoilt.uf2")
    assert "\n" not in said
    if found is not None:
        assert isinstance(binaryinfo.of_pages(found.pages).program, str)
        assert sum(map(len, found.sectors().values())) >= found.size > 0


@settings(max_examples=60)
@given(CHANGES)
def test_what_a_program_says_of_itself_is_read_or_empty(changes):
    data = changed(micropython_image("RP2040")[:8192], changes)
    info = binaryinfo.read(
        lambda at, size: data[at - 0x10000000 :][:size] if at >> 28 == 1 else b""
    )
    assert isinstance(info.program, str)


@settings(max_examples=60)
@given(CHANGES)
def test_a_spoilt_file_system_is_read_as_far_as_it_goes(changes):
    files = image.read(changed(DRIVE, changes))
    assert files is None or set(files) <= {"/me/identity.json", "/a/app.mpy"}


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@settings(max_examples=80)
@given(JSON, JSON)
def test_no_text_on_a_board_or_stick_breaks_what_reads_it(one, other):
    units.from_board(
        {units.IDENTITY: json.dumps(one).encode(), units.MACHINE: json.dumps(other).encode()}
    )
    signed = {"format": 1, "number": one, "files": {"app.mpy": other}, "version": other}
    path = units.folder() / "x"
    path.mkdir(parents=True, exist_ok=True)
    for value in (one, {"signed": one, "signatures": other}, {"signed": signed, "signatures": []}):
        (path / "release.json").write_text(json.dumps(value))
        with contextlib.suppress(FlashError):
            release.check(path, release.Trust(1, {"a": "b"}))
