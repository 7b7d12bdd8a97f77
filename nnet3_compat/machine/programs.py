"""Which programs there are: one for each module in a ``commands`` folder, named after the place where it lies.

A folder that ends in ``bin`` is one of Kaldi's, ``openfstbin`` OpenFst's, ``ldcbin`` LDC's. Its modules have the names
of the programs there: ``nnet3_compat/commands/nnet3bin/nnet3_compute.py`` is the twin of nnet3-compute. Our name for it
has the prefix ``nnet-pytorch-`` in the place of any ``nnet3-``. Other folders hold programs that Kaldi does not have.

setup.py makes entry points of this, links.py the links under Kaldi's names; ``python -m nnet3_compat.machine.programs
README.md`` writes the README's table.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PREFIX = "nnet-pytorch-"
PACKAGES = ("kaldi_bridge", "nnet3_compat", "steps_pytorch")
RENAMED = {"am-info": "transitions-info"}  # nnet3-am-info has the name that this one would have
OTHERS = {"openfstbin": "OpenFst's command line", "ldcbin": "LDC's"}  # folders whose programs are not Kaldi's
SECOND_NAMES = {"nnet3-chain-train": "train-chain"}
TABLE = ("<!-- programs: made by nnet3_compat/machine/programs.py -->", "<!-- end of programs -->")


@dataclass(frozen=True)
class Program:
    """Attributes:
    name: of ours.
    module: that holds its ``main``.
    kaldi_name: what Kaldi calls its twin; None where there is none.
    folder: the last part of the folder that it lies in.
    """

    name: str
    module: str
    kaldi_name: str | None
    folder: str

    @property
    def entry_point(self) -> str:
        """As setuptools wants it."""
        return f"{self.name} = {self.module}:main"


def find_programs(root: Path | None = None) -> list[Program]:
    """All programs of the packages in ``root`` (default: where this package lies), by module."""
    root = root or Path(__file__).resolve().parents[2]
    return [program for package in PACKAGES for program in _programs_of(root, root / package / "commands")]


def _programs_of(root: Path, commands: Path) -> Iterator[Program]:
    places = ((place, file) for place, _, files in os.walk(commands) for file in files if file.endswith(".py"))
    for place, file in sorted(places):  # quicker than Path.rglob: each path.sh waits for it
        if file == "__init__.py":
            continue
        module = os.path.relpath(f"{place}/{file[:-3]}", root).replace(os.sep, ".")
        name, folder = file[:-3].replace("_", "-"), os.path.basename(place)
        if not folder.endswith("bin"):
            yield Program(PREFIX + name, module, None, folder)
            continue
        yield Program(PREFIX + RENAMED.get(name, name.replace("nnet3-", "")), module, name, folder)
        if name in SECOND_NAMES:
            yield Program(PREFIX + SECOND_NAMES[name], module, None, folder)


def table(programs: list[Program]) -> str:
    """The README's table: each folder of Kaldi's with the programs that have a twin, then our own programs."""
    rows = ["| | programs |", "|---|---|"]
    folders = sorted({p.folder for p in programs}, key=lambda folder: (not folder.endswith("bin"), folder))
    for folder in folders:
        inside = [p for p in programs if p.folder == folder]
        names = sorted(p.kaldi_name for p in inside if p.kaldi_name)
        if names:
            title = OTHERS.get(folder, f"Kaldi's `{folder}`")
            rows.append(f"| {title} | {', '.join(names)} |")
    ours = sorted(p.name for p in programs if p.kaldi_name is None)
    return "\n".join([*rows, f"| ours | {', '.join(ours)} |"])


def with_table(text: str, programs: list[Program]) -> str:
    """A document with its table of programs made anew."""
    begin, end = TABLE
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table(programs)}\n{end}{after}"


if __name__ == "__main__":
    from kaldi_bridge.io.text_files import read_text, write_text  # setup.py has nothing but the standard library

    for name in sys.argv[1:]:
        write_text(name, with_table(read_text(name), find_programs()))
