"""nnet-pytorch-path: prints a directory of links to our programs under Kaldi's names."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option, write_stdout
from nnet3_compat.machine.links import fork_server_file, link_folder, make_launchers, programs_folder, shell_file
from nnet3_compat.machine.recipes import recipes_folder

USAGE = """Print the directory where the nnet-pytorch programs stand under the names of Kaldi's.
Lattice and feature programs are there only where Kaldi's own are not on the PATH.
Usage: nnet-pytorch-path [options]
e.g.: export PATH="$(nnet-pytorch-path):$PATH"
or as the last line of a path.sh, which puts Kaldi's own programs in front:
      . "$(nnet-pytorch-path --shell)"
with a fork server for this shell, so that programs start in a hundredth of a second:
      . "$(nnet-pytorch-path --fork-server)"
and, for recipes of one's own:
      ln -s "$(nnet-pytorch-path --recipes)"/{steps_pytorch,utils} ."""


@dataclass
class Options:
    shell: bool = option(False, "Print the name of a shell script instead that puts the directory in front of the PATH")
    fork_server: bool = option(False, "As --shell; the script starts a server, too, that programs are forked from")
    all: bool = option(False, "Links to all programs, also where Kaldi's or OpenFst's own are on the PATH")
    recipes: bool = option(False, "Print the directory instead that steps_pytorch/ and utils/ are in")


def path(options: Options) -> int:
    if options.recipes:
        found = recipes_folder()
    elif options.fork_server:
        found = fork_server_file(make_launchers(link_folder(options.all, own_names=True)), programs_folder())
    else:
        links = link_folder(options.all)
        found = shell_file(links) if options.shell else links
    write_stdout(f"{found}\n")
    return 0


main = command(path, usage=USAGE)

if __name__ == "__main__":
    main()
