"""Graph programs beside Kaldi's and OpenFst's, where those are on the PATH.

    python bench/graphs.py LANG TREE MODEL [FOLDER]

One step of utils/mkgraph.sh after the other, on a lang directory with G.fst, then the programs that format_lm.sh and
prepare_lang.sh call; at last whole graphs: make-graph beside the programs of utils/mkgraph.sh. FOLDER is for files that
are made on the way. LANG's graph should take seconds, else the time is that of starting programs (the last rows).
Programs' main files compiled without optimization, as some builds of Kaldi have them, would make Kaldi look slow.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from beside_kaldi import compare

from kaldi_bridge.hmm.tree import read_tree

STEPS = {
    "fsttablecompose (LG)": "{0}fsttablecompose {lang}/L_disambig.fst {lang}/G.fst {1}",
    "fstdeterminizestar --use-log": "{0}fstdeterminizestar --use-log=true LG1 {1}",
    "fstminimizeencoded": "{0}fstminimizeencoded LG2 {1}",
    "fstpushspecial": "{0}fstpushspecial LG3 {1}",
    "fstcomposecontext": "{0}fstcomposecontext --context-size={width} --central-position={central} "
    "--read-disambig-syms={lang}/phones/disambig.int ilabels LG4 {1}",
    "fstarcsort": "{0}fstarcsort --sort_type=ilabel CLG1 {1}",
    "make-h-transducer": "{0}make-h-transducer --disambig-syms-out=tid ilabels {tree} {model} {1}",
    "fsttablecompose (HCLG)": "{0}fsttablecompose Ha CLG {1}",
    "fstdeterminizestar (HCLG)": "{0}fstdeterminizestar --use-log=true HCLG1 {1}",
    "fstrmsymbols": "{0}fstrmsymbols tid HCLG2 {1}",
    "fstrmepslocal": "{0}fstrmepslocal HCLG3 {1}",
    "fstminimizeencoded (HCLG)": "{0}fstminimizeencoded HCLG4 {1}",
    "add-self-loops": "{0}add-self-loops --self-loop-scale=1.0 {model} HCLG5 {1}",
    "fstconvert --fst_type=const": "{0}fstconvert --fst_type=const HCLG6 {1}",
    "fstisstochastic": "{0}fstisstochastic HCLG > {1} || true",
    "fstprint": "{0}fstprint HCLG {1}",
    "fstcompile": "{0}fstcompile text {1}",
    "fstaddselfloops": "{0}fstaddselfloops 'echo 1000000 |' 'echo 1000000 |' LG4 {1}",
    "fstprint (a small one)": "{0}fstprint small {1}",
}
OUTPUTS = ["LG1", "LG2", "LG3", "LG4", "CLG1", "CLG", "Ha", "HCLG1", "HCLG2", "HCLG3", "HCLG4", "HCLG5", "HCLG6"]
OUTPUTS += ["HCLG", "stochastic", "text", "compiled", "looped", "none"]
GRAPH_STEPS = 14  # of the above, which make a graph


def main(lang: str, tree: str, model: str, folder: str | None = None) -> None:
    """Makes each step's input by our programs, then times the step."""
    context = read_tree(tree)
    names = {"lang": "lang", "tree": "model/tree", "model": "model/final.mdl"}
    names |= {"width": str(context.width), "central": str(context.central)}
    files = {"model/tree": os.path.abspath(tree), "model/final.mdl": os.path.abspath(model)}
    lang = os.path.abspath(lang)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        os.chdir(temporary)
        os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        subprocess.run(["cp", "-rs", lang, "lang"], check=True)  # make-graph keeps LG and CLG beside it
        Path("model").mkdir()
        for name, file in files.items():
            Path(name).symlink_to(file)
        subprocess.run("echo '0 0 1 1' | nnet-pytorch-fstcompile > small", shell=True, check=True)
        commands, steps = {}, []
        for (title, step), output in zip(STEPS.items(), OUTPUTS, strict=True):
            subprocess.run(step.format("nnet-pytorch-", output, **names), shell=True, check=True)
            commands[title] = step.format("{0}", "/dev/null", **names)
            steps.append(step.format("{0}", output, **names))
        by_steps = " && ".join(steps[:GRAPH_STEPS])
        commands["all steps of a graph"] = by_steps
        commands["make-graph (Kaldi: all steps)"] = (
            "if [ -n '{0}' ]; then rm -rf graph lang/tmp; {0}make-graph --self-loop-scale=1.0 lang model graph; "
            f"else {by_steps}; fi"
        )
        compare(f"HCLG of {Path('HCLG').stat().st_size / 1e6:.1f} MB", commands, "fsttablecompose")


if __name__ == "__main__":
    main(*sys.argv[1:])
