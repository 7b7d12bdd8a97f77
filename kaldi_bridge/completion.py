"""Completion of options in the shell, by typer: ``nnet-pytorch-copy-feats --install-completion``, then TAB."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kaldi_bridge.options import OptionSpec

OPTIONS = ("--install-completion", "--show-completion")
_PYTHON_TYPES = {"bool": bool, "int": int, "uint": int, "string": str}


def is_asked_for(program: str, arguments: Sequence[str]) -> bool:
    """Whether the shell asks for completions, or the person to have them installed or shown."""
    return _variable(program) in os.environ or bool(arguments and arguments[0] in OPTIONS)


def run(program: str, specs: Sequence[OptionSpec]) -> int:
    """What typer does when completions are asked for; prints them, or installs the shell's script. Exit status."""
    import typer

    def parameters(**values: Any) -> None: ...

    words: Any = typer.Argument(None)
    signature = [
        inspect.Parameter(
            spec.attribute,
            inspect.Parameter.KEYWORD_ONLY,
            default=typer.Option(spec.default, "--" + spec.name, help=spec.help),
            annotation=_PYTHON_TYPES.get(spec.type, float),
        )
        for spec in specs
    ]
    signature.append(inspect.Parameter("words", inspect.Parameter.KEYWORD_ONLY, default=words, annotation=list[str]))
    callback: Any = parameters
    callback.__signature__ = inspect.Signature(signature)
    callback.__annotations__ = {p.name: p.annotation for p in signature}
    app = typer.Typer(rich_markup_mode=None)
    app.command(add_help_option=False)(callback)
    try:
        app(prog_name=program, complete_var=_variable(program))
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 1
    return 0


def _variable(program: str) -> str:
    return f"_{program.replace('-', '_').upper()}_COMPLETE"
