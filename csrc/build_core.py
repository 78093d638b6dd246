"""Build microfactory._core from csrc/. The public headers are the only cdef.

The headers keep to what cffi can read: declarations, comments, include
guards and ``#define NAME <integer>``. Everything else belongs in a .c file.
A header's place in the order follows from the headers it includes.
"""

import re
from pathlib import Path

from cffi import FFI

CSRC = Path("csrc")
INTEGER = re.compile(r"#define\s+\w+\s+(?:0x[0-9a-fA-F]+|\d+)\s*$")
INCLUDE = re.compile(r'#include "mf/(\w+\.h)"')


def in_order() -> list[str]:
    """Public headers, each after the ones it includes."""
    texts = {path.name: path.read_text() for path in (CSRC / "include/mf").glob("*.h")}
    ordered: list[str] = []

    def place(name: str) -> None:
        if name not in ordered:
            for needed in INCLUDE.findall(texts[name]):
                place(needed)
            ordered.append(name)

    for name in sorted(texts):
        place(name)
    return ordered


def declarations(header: str) -> str:
    """The header without its preprocessor lines, save integer constants."""
    return "\n".join(
        line for line in header.splitlines() if not line.startswith("#") or INTEGER.match(line)
    )


HEADERS = in_order()
ffi = FFI()
for name in HEADERS:
    ffi.cdef(declarations((CSRC / "include/mf" / name).read_text()))
ffi.set_source(
    "microfactory._core",
    "".join(f'#include "mf/{name}"\n' for name in HEADERS),
    sources=[str(path) for path in sorted(CSRC.glob("src/*.c"))],
    include_dirs=[str(CSRC / "include")],
    # none of these changes a result: no -ffast-math, no contraction
    extra_compile_args=[
        "-std=c11",
        "-O3",
        "-ffp-contract=off",
        "-fno-math-errno",
        "-fno-trapping-math",
    ],
    libraries=["m"],
)
