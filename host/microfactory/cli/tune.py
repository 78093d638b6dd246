"""`heat --tune`: a heater's model and its PID, from a warming on the board, into a machine file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from microfactory.autotune import Tuned, part_of, relay_machine, tune
from microfactory.board import connect
from microfactory.cli import say
from microfactory.cli.common import holding, load_machine
from microfactory.errors import MachineError, UsageError
from microfactory.machine import Machine
from microfactory.tomledit import put, replace_file
from microfactory.tomlfile import TomlFile, value_text


def arguments(command: argparse.ArgumentParser) -> None:
    """Those of `heat` that belong to tuning."""
    command.add_argument(
        "--tune", action="store_true", help="swing about the temperature; print model and PID"
    )
    command.add_argument(
        "--write", action="store_true", help="with --tune: put them into the file of --machine"
    )
    command.add_argument(
        "-o", "--output", metavar="FILE.toml", help="with --tune: put them into a copy of it"
    )
    command.add_argument(
        "--control", choices=("pid", "model"), default="", help="with --tune: what is to regulate"
    )


def refuse_without_tune(args: argparse.Namespace) -> None:
    """UsageError: an option of tuning without --tune."""
    for name, given in (("write", args.write), ("output", args.output), ("control", args.control)):
        if given:
            raise UsageError(f"--{name} belongs to --tune; nothing was heated; add --tune")


def tuning(args: argparse.Namespace) -> int:
    """Tune; print; write where asked."""
    machine = load_machine(args)
    part_of(machine, args.heater)
    swung = relay_machine(machine, args.heater, args.celsius)
    source, target = _files(args)
    if target is not None:
        _written(source, args.heater, {"": {}}, target)  # told before anything is heated
    with holding() as asked, connect(args.port, swung) as board, say.bar(args.json) as bar:
        tuned = tune(
            board,
            args.heater,
            args.celsius,
            watch=lambda share, now_c: bar.to(share, f"{args.heater} {now_c:.1f} C"),
            wants_stop=lambda: bool(asked[0]),
        )
    tables = tuned.tables(args.control)
    if target is not None:
        replace_file(target, _written(source, args.heater, tables, target))
    return _tell(args, tuned, tables, target)


def _files(args: argparse.Namespace) -> tuple[Path, Path | None]:
    """Where the machine stands, and where it is to go. UsageError: it has no file of its own."""
    from microfactory.machine import MACHINES

    path = Path(args.machine)
    own = path.suffix == ".toml" or path.exists()
    source = path if own else MACHINES / f"{args.machine}.toml"
    if args.write and args.output:
        raise UsageError("--write and --output are two places; nothing was heated; give one")
    if args.write and not own:
        raise UsageError(
            f"{args.machine} comes along and is not changed; nothing was heated; use "
            "`-o FILE.toml` for a copy that is yours"
        )
    if args.write:
        return source, source
    if args.output and Path(args.output).suffix != ".toml":
        raise UsageError(
            f"{args.output}: a machine file ends in .toml; nothing was heated; name it so"
        )
    return source, Path(args.output) if args.output else None


def _written(source: Path, heater: str, tables: dict[str, dict[str, Any]], target: Path) -> str:
    """The machine file's text with the tables in it, read again and compared. MachineError."""
    file = TomlFile.read(source)
    before = Machine.from_file(file)
    text = source.read_text(encoding="utf-8")
    wanted = before.data()
    for name, values in tables.items():
        place = f"heaters.{heater}" + (f".{name}" if name else "")
        text = put(text, place, values)
        table = wanted["heaters"][heater]
        for key, value in values.items():
            (table.setdefault(name, {}) if name else table)[key] = value
    try:
        same = Machine.parse(text, str(target)).data() == wanted
    except MachineError:
        same = False
    if not same:
        raise MachineError(
            f"{source}: the values of {heater} stand there in a form that is not changed safely; "
            "nothing was written; tune without --write or -o and put in what is printed"
        )
    return text


def _tell(
    args: argparse.Namespace, tuned: Tuned, tables: dict[str, dict[str, Any]], target: Path | None
) -> int:
    if args.json:
        say.value(
            {
                "heater": tuned.heater,
                "target_c": tuned.target_c,
                "seconds": round(tuned.seconds, 1),
                "highest_c": tuned.highest_c,
                "samples": tuned.samples,
                "model": tables["model"],
                "pid": tables["pid"],
                "control": args.control or None,
                "written": str(target) if target else None,
            }
        )
        return 0
    for name, values in tables.items():
        if values:
            say.line(f"\n[heaters.{tuned.heater}{'.' + name if name else ''}]".lstrip("\n"))
            for key, value in values.items():
                say.line(f"{key} = {value_text(value)}")
    say.line(
        f"{tuned.heater}: tuned in {say.clock(tuned.seconds)} about {tuned.target_c:g} C, highest "
        f"{tuned.highest_c:.1f} C; its heat is off; "
        + (f"written to {target}" if target else "put this into the machine file")
    )
    return 0
