"""Language models in ARPA form as acceptors, by the kaldilm package, which holds Kaldi's arpa2fst."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode, strip

# In a process of its own, because it aborts the process on a malformed file.
_COMPILE = "import json, sys, kaldilm; kaldilm.arpa2fst(**json.loads(sys.argv[1]))"
_BLOCK = 1 << 20


def compile_arpa(
    arpa_rxfilename: str,
    read_symbol_table: str = "",
    write_symbol_table: str = "",
    disambig_symbol: str = "",
    bos_symbol: str = "<s>",
    eos_symbol: str = "</s>",
    keep_symbols: bool = False,
    ilabel_sort: bool = True,
    max_warnings: int = 30,
) -> Fst:
    """The acceptor of a model; the arguments are the options of arpa2fst.

    With ``read_symbol_table``, n-grams with words that are not in it are left out, and the first ``max_warnings`` of
    them reported. ``disambig_symbol`` is on the input side of backoff arcs; with it, no arc has <s> and </s>.

    Raises:
        KaldiError: no file, not in ARPA form, or no such symbol.
    """
    with tempfile.TemporaryDirectory() as folder:
        arpa = _plain_file(arpa_rxfilename, Path(folder) / "arpa")
        output = str(Path(folder) / "G.fst")
        options = {
            "input_arpa": arpa,
            "output_fst": output,
            "read_symbol_table": read_symbol_table,
            "write_symbol_table": write_symbol_table,
            "disambig_symbol": disambig_symbol,
            "bos_symbol": bos_symbol,
            "eos_symbol": eos_symbol,
            "keep_symbols": keep_symbols,
            "ilabel_sort": ilabel_sort,
            "max_arpa_warnings": max_warnings,
        }
        for name in (read_symbol_table, *([arpa] if arpa == arpa_rxfilename else [])):
            if name and not Path(name).is_file():
                raise KaldiError(f"no such file {name}")
        done = subprocess.run(
            [sys.executable, "-c", _COMPILE, json.dumps(options)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        errors = _report(decode(done.stderr))
        if done.returncode:
            raise KaldiError(f"{arpa_rxfilename}: {errors or 'arpa2fst failed'}")
        return read_fst(output)


def _plain_file(rxfilename: str, copy: Path) -> str:
    """A file's own name; a pipe or compressed file goes into ``copy`` first."""
    if rxfilename.endswith(".gz"):
        rxfilename = f"gunzip -c {rxfilename} |"
    elif Path(rxfilename).is_file():
        return rxfilename
    with open_input(rxfilename) as stream, open(copy, "wb") as out:
        while block := stream.read_up_to(_BLOCK):
            out.write(block)
    return str(copy)


def _report(messages: str) -> str:
    """Logs kaldilm's warnings; its errors, or what else it said last."""
    lines = [strip(line) for line in messages.split("\n")]
    for line in lines:
        if line.startswith("[W] "):
            log.warning(line.removeprefix("[W] "))
    errors = [line.removeprefix("[E] ").removeprefix("[F] ") for line in lines if line.startswith(("[E] ", "[F] "))]
    return "; ".join(errors) or (lines[-1] if lines else "")
