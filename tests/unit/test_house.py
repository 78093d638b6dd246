"""The house keeps its own rules: sizes, names, rooms, and pages that tell the truth."""

import ast
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
ROOMS = ("firmware", "host", "hil", "tests", "bench", "examples", "csrc")
PYTHON = sorted(
    path
    for room in ROOMS
    for path in (TOP / room).rglob("*.py")
    if "build" not in path.parts and "node_modules" not in path.parts
)
CORE = sorted((TOP / "csrc").rglob("*.[ch]"))
PLACE = re.compile(r"`((?:firmware|host|csrc|hil)/[\w./-]+\.(?:py|c|h|mjs))`")


def imports(path: Path) -> set[str]:
    """Names of the modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize(("files", "most"), [(PYTHON, 400), (CORE, 500)], ids=["python", "c"])
def test_no_file_is_longer_than_a_few_pages(files, most):
    lengths = {str(path.relative_to(TOP)): len(path.read_text().splitlines()) for path in files}
    assert lengths
    assert not {name: lines for name, lines in lengths.items() if lines > most}


def test_the_wire_imports_nothing_that_has_a_clock_or_a_port():
    for path in (TOP / "firmware/mfwire").glob("*.py"):
        allowed = {"mfwire", "micropython", "typing", "collections", "array", "__future__"}
        assert not roots(path) - allowed, path


def test_the_board_never_imports_the_host_and_only_its_port_knows_the_chip():
    for path in (TOP / "firmware/mfboard").glob("*.py"):
        found = roots(path)
        assert not found & {"microfactory", "hil"}, path
        if not path.name.startswith(("port_rp2", "fast")):
            assert not found & {"rp2", "machine", "uctypes", "usb"}, path


def test_the_core_knows_no_python_and_no_files():
    for path in CORE:
        text = path.read_text()
        for header in ("Python.h", "stdio.h", "stdlib.h"):
            assert header not in text, path


def test_the_verifier_shares_no_code_with_the_planner():
    files = list((TOP / "hil/verify").rglob("*.py"))
    assert files
    for path in files:
        assert not {name for name in imports(path) if "motion" in name or "_core" in name}, path


def test_the_host_never_imports_the_rig_or_the_board():
    for path in (TOP / "host").rglob("*.py"):
        assert not roots(path) & {"hil", "mfboard"}, path


def test_at_most_twenty_five_public_names_and_each_is_in_the_pages():
    import microfactory

    pages = "".join(path.read_text() for path in (TOP / "docs").glob("*.md"))
    assert 0 < len(microfactory.__all__) <= 25
    for name in microfactory.__all__:
        assert hasattr(microfactory, name)
        assert re.search(rf"\b{name}\b", pages), f"docs/ do not tell of {name}"


def named_functions(page: Path) -> list[tuple[str, str]]:
    """Pairs (file, name): the functions that a page names on the line that names their file."""
    pairs = []
    for line in page.read_text().splitlines():
        place = PLACE.search(line)
        if place:
            pairs += [(place[1], name) for name in re.findall(r"`([\w.]+)\(\)`", line)]
    return pairs


def test_the_way_of_a_move_names_what_exists():
    pairs = named_functions(TOP / "docs/architecture.md")
    assert len(pairs) >= 15
    for file, name in pairs:
        last = name.rsplit(".", 1)[-1]
        assert re.search(rf"\b{last}\b", (TOP / file).read_text()), f"{file} has no {name}"


def test_links_between_pages_lead_somewhere():
    for page in [TOP / "README.md", TOP / "CHANGELOG.md", *(TOP / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(TOP)}: {target}"


def test_the_makefile_tells_its_targets():
    text = (TOP / "Makefile").read_text()
    told = set(re.findall(r"^([a-z0-9-]+):.*## ", text, re.MULTILINE))
    wanted = "demo test bench cuts verify-mutants fuzz analyze lint setup hil-emulated"
    assert set(wanted.split()) <= told


def test_every_decision_is_listed():
    folder = TOP / "docs/decisions"
    listed = (folder / "README.md").read_text()
    pages = [path.name for path in folder.glob("[0-9]*.md")]
    assert pages
    for name in pages:
        assert name in listed, f"docs/decisions/README.md does not list {name}"
