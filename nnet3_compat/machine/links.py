"""A directory of links that puts our programs under Kaldi's names, for the front of a PATH.

What is in it depends on the installed programs and on the PATH of who asks, and its name is a hash of what is in it:
another caller gets another directory, and nobody's links ever change or go.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import sys
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from nnet3_compat.machine.programs import PREFIX, Program, find_programs

FOLDER = "nnet-pytorch-links"


def wanted_links(programs: list[Program], bin_folder: Path, all_names: bool = False) -> dict[str, Path]:
    """Kaldi's names and the installed programs that they stand for.

    Names that are not nnet3-* are left to Kaldi's (or OpenFst's) own programs where those are on the PATH, unless
    ``all_names`` are wanted.
    """
    path = os.pathsep.join(p for p in os.get_exec_path() if Path(p).parent.name != FOLDER)
    wanted = {}
    for program in programs:
        name, target = program.kaldi_name, bin_folder / program.name
        if name is None or not target.exists():
            continue
        if all_names or name.startswith("nnet3-") or shutil.which(name, path=path) is None:
            wanted[name] = target
    return wanted


def make_links(parent: Path, wanted: dict[str, Path]) -> Path:
    """The directory in ``parent`` that holds just these links; many can make it at once."""
    content = "\n".join(f"{name} {target}" for name, target in sorted(wanted.items()))
    links = parent / FOLDER / hashlib.sha256(encode(content)).hexdigest()[:16]
    if links.is_dir() and all(os.path.lexists(links / name) for name in wanted):
        return links
    links.mkdir(parents=True, exist_ok=True)
    for name, target in wanted.items():
        temporary = links / f".{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(links / name)
    return links


def shell_file(links: Path) -> Path:
    """A script beside the directory, to be sourced: it puts the directory in front of the PATH, once."""
    path, quoted = links.with_suffix(".sh"), shlex.quote(str(links))
    lines = f'case "$PATH" in\n  {quoted}:*) ;;\n  *) PATH={quoted}:$PATH ;;\nesac\nexport PATH\n'
    with open_output(str(path)) as stream:
        stream.write(encode(lines))
    return path


def link_folder(all_names: bool = False) -> Path:
    """Makes the directory, beside the installed programs or else in the user's cache, and tells where it is.

    ``all_names``: of all programs, also where others of their names are on the PATH.

    Raises KaldiError when neither place can be written, or the programs are not installed.
    """
    programs = find_programs()
    bin_folder = Path(sys.executable).parent
    invoked = Path(sys.argv[0])
    if invoked.name.startswith(PREFIX) and (invoked.parent / f"{PREFIX}compute").exists():
        bin_folder = invoked.parent.resolve()
    if not any((bin_folder / program.name).exists() for program in programs):
        raise KaldiError(f"the nnet-pytorch-* programs are not in {bin_folder}: install the package with pip")
    wanted = wanted_links(programs, bin_folder, all_names)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    reasons = []
    for parent in (bin_folder.parent / "libexec", cache):
        try:
            return make_links(parent, wanted)
        except OSError as error:
            reasons.append(f"{parent / FOLDER}: {error.strerror}")
    raise KaldiError(f"cannot make a directory of links: {'; '.join(reasons)}")
