"""A directory of links that puts our programs under Kaldi's names, for the front of a PATH.

What is in it depends on the installed programs and on the PATH of who asks, and its name is a hash of what is in it:
another caller gets another directory, and nobody's links ever change or go.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import sys
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.forked_programs import LAUNCHERS
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from nnet3_compat.machine.fork_server import VARIABLE
from nnet3_compat.machine.programs import PREFIX, Program, find_programs

FOLDER = "nnet-pytorch-links"
LAUNCHER = Path(__file__).with_name("launcher")  # compiled of csrc/launcher.c where there is a compiler, on Linux


def wanted_links(
    programs: list[Program], bin_folder: Path, all_names: bool = False, own_names: bool = False
) -> dict[str, Path]:
    """Kaldi's names and the installed programs that they stand for; ``own_names``: and our own names.

    Names that are not nnet3-* are left to Kaldi's (or OpenFst's) own programs where those are on the PATH, unless
    ``all_names`` are wanted.
    """
    others = [p for p in os.get_exec_path() if FOLDER not in (Path(p).parent.name, Path(p).parent.parent.name)]
    path, there = os.pathsep.join(others), _names_in(others)
    installed, wanted = _names_in([str(bin_folder)]), {}
    for program in programs:
        name, target = program.kaldi_name, bin_folder / program.name
        if program.name not in installed:
            continue
        if own_names:
            wanted[program.name] = target
        if name is None:
            continue
        if all_names or name.startswith("nnet3-") or name not in there or shutil.which(name, path=path) is None:
            wanted[name] = target
    return wanted


def _names_in(folders: list[str]) -> set[str]:
    """Of all files: quicker than to ask for each."""
    names: set[str] = set()
    for folder in folders:
        with contextlib.suppress(OSError):
            names.update(os.listdir(folder))
    return names


def make_links(parent: Path, wanted: dict[str, Path]) -> Path:
    """The directory in ``parent`` that holds just these links; many can make it at once."""
    content = "\n".join(f"{name} {target}" for name, target in sorted(wanted.items()))
    links = parent / FOLDER / hashlib.sha256(encode(content)).hexdigest()[:16]
    _link(links, wanted)
    return links


def make_launchers(links: Path) -> Path:
    """The directory inside one of links that has launchers in their place.

    Raises KaldiError where the launcher was not compiled.
    """
    if not LAUNCHER.exists():
        raise KaldiError(
            f"there is no {LAUNCHER}: install nnet-pytorch again on Linux, with a C compiler, or take --shell"
        )
    launchers = links / LAUNCHERS
    _link(launchers, dict.fromkeys((file.name for file in os.scandir(links) if file.is_symlink()), LAUNCHER))
    return launchers


def _link(folder: Path, wanted: dict[str, Path]) -> None:
    there = wanted.keys() <= _names_in([str(folder)])
    if there and all(os.readlink(f"{folder}/{name}") == str(target) for name, target in wanted.items()):
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in wanted.items():
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(folder / name)


def shell_file(links: Path) -> Path:
    """A script beside the directory, to be sourced: it puts the directory in front of the PATH, once."""
    return _write_shell_file(links.with_suffix(".sh"), _in_front(links))


def fork_server_file(launchers: Path, bin_folder: Path) -> Path:
    """The same for launchers, and starts the fork server that they call, unless there is one for them already."""
    links = launchers.parent
    server = shlex.quote(str(bin_folder / f"{PREFIX}fork-server"))
    start = (
        f'if [ ! -S "${{{VARIABLE}:-}}/{links.name}" ]; then\n'
        f"  {VARIABLE}=$({server} --print-args=false {shlex.quote(str(links))} $$) || :\n"
        f"  export {VARIABLE}\n"
        "fi\n"
    )
    return _write_shell_file(links / "fork_server.sh", _in_front(launchers) + start)


def _in_front(folder: Path) -> str:
    quoted = shlex.quote(str(folder))
    return f'case "$PATH" in\n  {quoted}:*) ;;\n  *) PATH={quoted}:$PATH ;;\nesac\nexport PATH\n'


def _write_shell_file(path: Path, lines: str) -> Path:
    with open_output(str(path)) as stream:
        stream.write(encode(lines))
    return path


def link_folder(all_names: bool = False, own_names: bool = False) -> Path:
    """Makes the directory, beside the installed programs or else in the user's cache, and tells where it is.

    ``all_names``: of all programs, also where others of their names are on the PATH. ``own_names``: our own, too.

    Raises KaldiError when neither place can be written, or the programs are not installed.
    """
    programs, bin_folder = find_programs(), programs_folder()
    wanted = wanted_links(programs, bin_folder, all_names, own_names)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    reasons = []
    for parent in (bin_folder.parent / "libexec", cache):
        try:
            return make_links(parent, wanted)
        except OSError as error:
            reasons.append(f"{parent / FOLDER}: {error.strerror}")
    raise KaldiError(f"cannot make a directory of links: {'; '.join(reasons)}")


def programs_folder() -> Path:
    """Where the programs are installed. Raises KaldiError where they are not."""
    bin_folder = Path(sys.executable).parent
    invoked = Path(sys.argv[0])
    if invoked.name.startswith(PREFIX) and (invoked.parent / f"{PREFIX}compute").exists():
        bin_folder = invoked.resolve().parent
    if not (bin_folder / f"{PREFIX}compute").exists():
        raise KaldiError(f"the nnet-pytorch-* programs are not in {bin_folder}: install the package with pip")
    return bin_folder
