"""A small program for the tests of the command line: prints its options, or fails as it is told."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect, write_stdout
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX


@dataclass
class Shared:
    optimize: bool = option(True, "From a shared group", name="optimization.optimize")


@dataclass
class Options(Shared):
    binary: bool = option(True, "Binary or not")
    some_number: int = option(-1, "An integer")
    count: int = option(3, "A natural number", type="uint")
    scale: float = option(0.1, "A real number")
    file_name: str = option("", "A string")
    memory_pool: int = without_effect(8, "Memory is taken as needed")


def echo(options: Options, action: str, argument: str = "", *rest: str) -> int | None:
    if action == "show":
        write_stdout(f"{options} {argument}\n")
    elif action == "status":
        return int(argument)
    elif action == "error":
        raise KaldiError(argument)
    elif action == "bug":
        raise ZeroDivisionError
    elif action == "import":
        importlib.import_module(argument)
    elif action == "memory":
        raise MemoryError
    elif action == "interrupt":
        raise KeyboardInterrupt
    elif action == "file":
        open(argument).close()  # noqa: SIM115
    elif action == "modules":
        print(*sys.modules)
    elif action == "talk":
        log.info("an information")
        log.warning("a warning")
        log.vlog(2, "a detail")
    elif action == "copy":
        with SequentialReader(argument, FLOAT_MATRIX) as reader, TableWriter(rest[0], FLOAT_MATRIX) as writer:
            for key, value in reader:
                writer.write(key, value)
    return None


main = command(echo, usage="Do something\nUsage: echo-program [options] <action> [<argument> ...]\n")

if __name__ == "__main__":
    main()
