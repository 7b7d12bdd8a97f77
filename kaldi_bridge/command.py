"""Commands: a dataclass of options and a function become a program that behaves as Kaldi's do.

    @dataclass
    class Options:
        binary: bool = option(True, "Write the output in binary mode")

    def copy(options: Options, nnet_in: str, nnet_out: str) -> int | None: ...

    main = command(copy, usage="Copy a network\nUsage: nnet-pytorch-copy [options] <nnet-in> <nnet-out>\n")

The grammar is Kaldi's (options.py). typer, whose import costs more than most commands do, is loaded where it does
something that Kaldi's programs lack: completion in the shell (completion.py).
Exit status: what the function returns (None is 0), 1 for a wrong number of arguments, 255 after an error, which an
invalid option is too, 141 when nobody reads the output any more, 130 after an interrupt.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import signal
import sys
import typing
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from kaldi_bridge import completion, log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.pipelines import allow_forks
from kaldi_bridge.io.text import pass_bytes_through
from kaldi_bridge.options import (
    STANDARD,
    OptionSpec,
    UsageError,
    command_line,
    joined,
    option,
    parse,
    specs_of,
    usage_text,
    without_effect,
)

__all__ = ["Command", "command", "option", "run", "without_effect", "write_stdout"]

USAGE_STATUS, ERROR_STATUS, BROKEN_PIPE_STATUS, INTERRUPT_STATUS = 1, 255, 128 + signal.SIGPIPE, 130


# In which extra packages are that are not in "recipes".
EXTRAS = {"websockets": "server", "prometheus_client": "server"}


class Command:
    """A program. Calling it runs it on sys.argv and exits."""

    def __init__(self, function: Callable[..., int | None], usage: str, script: bool) -> None:
        self.function = function
        self.usage = usage
        self._script = script
        parameters = list(inspect.signature(function).parameters.values())
        self._options_class: Any = None
        if parameters and parameters[0].name == "options":
            self._options_class = typing.get_type_hints(function)["options"]
            parameters = parameters[1:]
        self._many = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        named = [p for p in parameters if p.kind is not p.VAR_POSITIONAL]
        self._most = len(named)
        self._least = sum(p.default is p.empty for p in named)

    def __call__(self) -> typing.NoReturn:
        """The entry point of the program."""
        signal.signal(signal.SIGTERM, _terminate)
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # numpy's about infinite numbers: Kaldi's programs go on quietly
        pass_bytes_through()
        allow_forks()
        program = os.path.basename(sys.argv[0])
        if program.endswith(".py"):  # python -m nnet3_compat.commands.some_program
            program = "nnet-pytorch-" + program[:-3].replace("_", "-")
        if completion.is_asked_for(program, sys.argv[1:]):
            sys.exit(completion.run(program, self.specs))
        sys.exit(self.run(sys.argv[1:], program))

    @functools.cached_property
    def specs(self) -> list[OptionSpec]:
        """All options, Kaldi's standard ones included."""
        return [*(specs_of(self._options_class) if self._options_class is not None else []), *STANDARD]

    def run(self, arguments: Sequence[str], program: str | None = None) -> int:
        """Runs the program in this process; returns its exit status."""
        arguments = joined(self.specs, list(arguments)) if self._script else list(arguments)
        program = program or "nnet-pytorch-" + self.function.__name__.replace("_", "-")
        log.set_program_name(program)
        log.set_verbose(0)
        status = self._guarded(arguments, program)
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError as error:
            _detach_stdout()
            status = status or (
                BROKEN_PIPE_STATUS if isinstance(error, BrokenPipeError) else _report(_unwritten(error))
            )
        return status

    def _guarded(self, arguments: list[str], program: str) -> int:
        """Runs the program; exceptions become messages and an exit status."""
        try:
            return self._run(arguments, program)
        except UsageError as error:
            if error.show_usage:
                _complain(self._usage() + "Command line was: " + command_line([program, *arguments]))
            log.error(str(error))
            return ERROR_STATUS
        except BrokenPipeError:
            return BROKEN_PIPE_STATUS
        except KeyboardInterrupt:
            return INTERRUPT_STATUS
        except Exception as error:
            return _report(error)

    def _run(self, arguments: list[str], program: str) -> int:
        values, positional = parse(self.specs, arguments)
        standard = {spec.attribute: values.pop(spec.attribute) for spec in STANDARD}
        if standard["help"]:
            _complain(self._usage())
            return 0
        if standard["version"]:
            write_stdout(f"{program} (nnet-pytorch {log.VERSION})\n")
            return 0
        log.set_verbose(standard["verbose"])
        if standard["print_args"]:
            _complain(command_line([program, *arguments]))
        if len(positional) < self._least or (len(positional) > self._most and not self._many):
            _complain(self._usage())
            if positional:
                most = "or more" if self._many else f"to {self._most}" if self._most > self._least else ""
                log.error(f"Wrong number of arguments: {len(positional)}, not {self._least} {most}".rstrip(" "))
            return USAGE_STATUS
        if self._options_class is not None:
            return self.function(self._options_class(**values), *positional) or 0
        return self.function(*positional) or 0

    def _usage(self) -> str:
        return usage_text(self.usage, self.specs)


def command(function: Callable[..., int | None], *, usage: str, script: bool = False) -> Command:
    """Makes a program of a function ``f(options, argument, optional=None, *rest) -> exit status or None``.

    ``script``: the twin of one of Kaldi's Python scripts, which also take ``--key value``.
    """
    return Command(function, usage, script)


def run(program: Command, arguments: Sequence[str]) -> int:
    """Runs a program in this process, as tests do; returns its exit status."""
    return program.run(arguments)


def write_stdout(text: str) -> None:
    """Prints what a program is for; raises KaldiError where it cannot be written."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritten(error) from error


def _unwritten(error: OSError) -> KaldiError:
    return KaldiError(f"Cannot write standard output: {error.strerror}")


def _complain(text: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # maybe nobody listens
        sys.stderr.write(text)
        sys.stderr.flush()


def _report(error: Exception) -> int:
    if isinstance(error, KaldiError):
        message = str(error)
    elif isinstance(error, ModuleNotFoundError) and error.name:
        extra = EXTRAS.get(error.name.partition(".")[0], "recipes")
        message = f"This needs the package {error.name}, which is not installed: pip install 'nnet-pytorch[{extra}]'"
    elif isinstance(error, MemoryError):
        message = f"Out of memory {error}".rstrip(" ")
    elif isinstance(error, RecursionError):
        message = f"Parts of the input are within each other too many levels deep ({error}; --verbose=1 shows where)"
    elif isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        message = f"{name}{error.strerror or error}"
    else:
        message = f"{type(error).__name__}: {error} (a bug; --verbose=1 shows where)"
    log.error_from(error, message)
    if log.verbose() >= 1 and not isinstance(error, KaldiError):
        import traceback

        _complain("".join(traceback.format_exception(error)))
    return ERROR_STATUS


def _detach_stdout() -> None:
    """Keeps the interpreter from complaining, as it exits, about output that cannot be written."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _terminate(number: int, frame: Any) -> None:
    signal.signal(number, signal.SIG_IGN)  # to the process group and to the process: it is one wish
    sys.exit(128 + number)  # unlike the default action, this removes temporary files
