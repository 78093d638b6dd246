"""Compile a program into a job file with its proof, then play exactly those bytes."""

import tempfile
from pathlib import Path

import microfactory as mf

machine = mf.Machine.load("circuit-plotter")
program = mf.parse("G21 G90\nG0 X40 Y40 Z5\nG2 X40 Y40 I15 J0 F1200\nM2\n")

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "circle.job"
    header = mf.compile_job(program, machine, path)
    print("proof:", header["proof"]["verdict"])
    job = mf.JobFile.load(path)
    with mf.connect("virtual", machine) as board:
        record = board.run(job)
    print(record, record.hashes)
