"""nnet-pytorch-fork-server: starts the process that a shell's programs are forked from."""

from __future__ import annotations

import os
from pathlib import Path

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.errors import KaldiError
from nnet3_compat.machine.fork_server import Listener, serve

USAGE = """Start a process that programs of a directory are forked from as long as a shell runs, in the background;
prints what their launchers want in $NNET_PYTORCH_FORK_SERVER. The script of nnet-pytorch-path --fork-server does this.
Usage: nnet-pytorch-fork-server <directory> <shell's-process-id>
e.g.: export NNET_PYTORCH_FORK_SERVER=$(nnet-pytorch-fork-server "$(dirname "$launchers")" $$)"""


def fork_server(directory: str, process_id: str) -> None:
    _open_standard_files()
    try:
        shell = os.pidfd_open(int(process_id))
    except AttributeError as error:
        raise KaldiError("this needs Linux") from error
    except (OSError, ValueError) as error:
        raise KaldiError(f"cannot watch process {process_id}: {error} (this needs Linux 5.3 or newer)") from error
    links = Path(directory).resolve()
    listener = Listener(links)
    write_stdout(f"{listener.folder}\n")
    if os.fork() == 0:
        serve(listener, links, shell)


def _open_standard_files() -> None:
    """Those that the shell has closed: what the server opens must not get their numbers."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)


main = command(fork_server, usage=USAGE)

if __name__ == "__main__":
    main()
