"""nnet-pytorch-prepare-chain-lang: a lang directory with the topology of chain models (Kaldi: chain/gen_topo.py)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology_making import chain_topology
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.lang.directory import Lang

USAGE = """Make a lang directory with the topology of chain models: one state per phone, left after one frame or more.
Usage: nnet-pytorch-prepare-chain-lang [options] <lang-dir> <chain-lang-dir>
e.g.: nnet-pytorch-prepare-chain-lang data/lang data/lang_chain"""


@dataclass
class Options:
    """No options of its own."""


def prepare_chain_lang(options: Options, lang_dir: str, chain_lang_dir: str) -> int:
    lang, out = Lang(lang_dir), Path(chain_lang_dir)
    phones = sorted(lang.nonsilence + lang.silence)
    if out.exists() and out.resolve() == lang.path.resolve():
        raise KaldiError(f"{out} would lose its topology: name another directory")
    shutil.copytree(lang.path, out, dirs_exist_ok=True)
    with open_output(str(out / "topo")) as stream:
        stream.write(encode(chain_topology(phones)))
    return 0


main = command(prepare_chain_lang, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
