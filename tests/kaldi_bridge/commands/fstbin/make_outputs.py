"""Makes outputs.json: what OpenFst's (1.7.9, Debian) and Kaldi's own programs write for the small FSTs below.

python tests/kaldi_bridge/commands/fstbin/make_outputs.py    # with these programs on the PATH, and shared objects
# olabel_lookahead-fst.so and ngram-fst.so, which register these types with OpenFst, on the LD_LIBRARY_PATH
"""

import json
import subprocess
import tempfile
from base64 import b64encode
from pathlib import Path

OUTPUTS = Path(__file__).with_name("outputs.json")

# Written in OpenFst's text form; NAME.log gets arcs of the log semiring.
INPUTS = {
    "cyclic": "0 1 1 2 0.5\n0 2 0 3 1.5\n1 1 2 0 0.25\n1 2 0 0\n2 0 3 1 2\n2 3 1 1 0.75\n2 0.5\n3\n4 3 1 2\n",
    "acyclic": "0 1 1 2 0.5\n0 2 1 3 1\n1 3 2 2\n1 3 0 1 0.25\n2 3 2 1 1.5\n2 4 3 3\n3 4 3 0 0.5\n3 1\n4 0.25\n",
    "chain": "0 1 2 20 0.5\n1 2 1 1\n2 3 2 2 0.25\n3\n",
    "deterministic": "0 1 1 1 0.5\n0 2 2 2 1\n1 3 1 1 0.25\n2 4 1 1 0.25\n3 3 2 2 1\n4 4 2 2 1\n3 0.5\n4 0.5\n",
    "minimal": "0 1 1 1 0.5\n0 1 2 2 1\n1 2 1 1 0.25\n2 2 2 2 1\n2 0.5\n",
    "renumbered": "0 2 1 1 0.5\n0 1 2 2 1\n1 3 1 1 0.25\n2 4 1 1 0.25\n4 4 2 2 1\n3 3 2 2 1\n4 0.5\n3 0.5\n",
    "acceptor": "0 1 1 1 0.5\n0 2 1 1 1\n1 3 2 2\n2 3 2 2 1.5\n2 3 0 0 0.25\n3 1\n",
    "not_functional": "0 1 1 2\n0 2 1 3\n1\n2\n",
    "string": "0 1 3 3\n1 2 1 1\n2\n",
    "unweighted": "0 1 3 4\n0 2 1 1\n2\n1\n",
    # Histories: 0 the start's, 1 none, 2 and 3 of one word, 4 of two.
    "trigrams": "0 1 0 0 0.25\n0 2 1 1 1\n1 2 1 1 2\n1 3 2 2 3\n1 1 3 3 4\n1 5\n2 1 0 0 0.5\n2 4 2 2 1.5\n"
    "3 1 0 0 0.75\n3 2 1 1 2.5\n3 0.5\n4 3 0 0 1\n4 1 3 3 0.125\n4 2\n",
    # Output labels that can go forward and back: in rows, around a circle, from a final state.
    "late": "0 1 1 0 1\n1 2 2 7 0.5\n2 3 3 8\n2 4 4 8 2\n3 5 5 9\n4 5 6 9 1\n4 5 6 4 1\n5 6 0 3\n6 0.25\n",
    "circle": "0 1 1 0 1\n1 2 2 7 0.5\n2 0 3 8\n2 3 4 8 2\n3 4 5 9\n4 0.5\n",
    "fork": "0 1 1 0\n0 2 2 0\n1 3 1 5\n1 4 2 5 1\n2 4 3 6\n3 5 1 7\n4 5 2 7\n5 6 1 8\n6\n3 0.5\n",
    # What meets owes strings: at the end one of two labels, one of none, costs that only differ.
    "functional": "0 1 1 5 0.5\n0 2 1 5 1\n0 3 1 0 2\n1 4 2 6 0.25\n2 4 2 6 0.5\n2 5 3 8 0.75\n3 6 4 9 1\n3 7 5 0\n"
    "6 8 1 9\n4 0.5\n5 1\n7\n8 0.25\n",
    "several": "0 1 1 5 0.5\n0 2 1 6 1\n0 3 1 6 1.5\n1 4 2 7\n2 4 2 7 0.5\n3 4 2 7\n3 5 2 0\n4 0.25\n5 1\n1 2\n",
    "empty": "",
    "no_end": "0 1 1 1\n1 0 2 2\n",
}
LISTS = {
    "one.list": "1\n2\n",
    "two.list": "8\n9\n",
    "other.list": "18\n19\n",
    "pairs.list": "1 7\n2 8\n",
    "bad.list": "1\nx\n",
}
SYMBOLS = {"letters.txt": "<eps> 0\na 1\nb 2\nc 3\nd 20\n", "few.txt": "<eps> 0\na 1\n"}

# A model of three phones; 4 and 5 are disambiguation symbols. Words 1 and 2 are both said "2 3", word 3 is said "3".
TOPOLOGY = """<Topology>
<TopologyEntry>
<ForPhones> 1 2 </ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.75 <Transition> 1 0.25 </State>
<State> 1 <PdfClass> 1 <Transition> 1 0.5 <Transition> 2 0.5 </State>
<State> 2 </State>
</TopologyEntry>
<TopologyEntry>
<ForPhones> 3 </ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.5 <Transition> 1 0.125 <Transition> 2 0.375 </State>
<State> 1 <Transition> 2 1.0 </State>
<State> 2 <PdfClass> 1 <Transition> 2 0.5 <Transition> 3 0.5 </State>
<State> 3 </State>
</TopologyEntry>
</Topology>
"""
INPUTS |= {
    "lexicon": "0 1 0 0 0.5\n0 2 0 0 1\n1 1 3 3 0.75\n1 2 3 3 0.25\n1 3 2 1 0.75\n1 4 2 2 0.75\n3 5 3 0\n4 6 3 0\n"
    "5 1 4 0\n6 1 5 0\n2 1 1 0\n1\n",
    "grammar": "0 0 1 1 1.5\n0 0 2 2 1.25\n0 0 3 3 1\n0 2\n",
}
LISTS["disambig.list"] = "4\n5\n"

TYPES = {
    "const": ["cyclic"],
    "olabel_lookahead": ["cyclic"],
    "compact_acceptor": ["acceptor"],
    "compact_string": ["string"],
    "compact_unweighted": ["unweighted"],
    "ngram": ["trigrams"],
}

# The name of each FST stands for its file. What prints text is compared as it is, all else after fstprint.
COMMANDS = """
fstarcsort cyclic
fstarcsort --sort_type=olabel cyclic
fstarcsort -sort_type=olabel acyclic
fstarcsort --sort_type=other acyclic
fstproject cyclic
fstproject --project_type=output cyclic
fstinvert cyclic
fstunion cyclic acyclic
fstunion empty acyclic
fstunion acyclic empty
fstconcat cyclic acyclic
fstconcat acyclic empty
fstclosure cyclic
fstclosure --closure_plus cyclic
fstclosure empty
fstreverse cyclic
fstreverse --require_superinitial=false cyclic
fstconnect cyclic
fstconnect no_end
fsttopsort acyclic
fsttopsort cyclic
fstcompose acyclic.osorted deterministic
fstcompose acyclic.osorted cyclic.isorted
fstcompose --connect=false acyclic.osorted cyclic.isorted
fstcompose cyclic cyclic.isorted
fstcompose cyclic cyclic
fstcompose acyclic.osorted.log cyclic.isorted.log
fstcompose --compose_filter=alt_sequence acyclic.osorted cyclic.isorted
fstcompose --compose_filter=match acyclic.osorted cyclic.isorted
fstcompose --compose_filter=match --connect=false cyclic.osorted acyclic.isorted
fstcompose --compose_filter=alt_sequence cyclic.osorted.log acyclic.isorted.log
fstcompose --compose_filter=match empty cyclic
fstcompose --compose_filter=other acyclic.osorted cyclic.isorted
fstrmepsilon cyclic
fstrmepsilon acceptor
fstrmepsilon --connect=false cyclic
fstrmepsilon acyclic.log
fstrmepsilon acceptor.log
fstrmepsilon --connect=false trigrams.log
fstrmepsilon lexicon.log
fstrmepsilon --nstate=3 acyclic.log
fstdeterminize acceptor.log
fstdeterminize trigrams.log
fstdeterminize --weight=1 acceptor.log
fstdeterminize late.log
fstdeterminize fork.log
fstdeterminize circle.log
fstdeterminize lexicon.log
fstdeterminize lexicon_tids.log
fstdeterminize functional.log
fstdeterminize --subsequential_label=9 functional.log
fstdeterminize --delta=0.1 functional.log
fstdeterminize not_functional.log
fstdeterminize --det_type=disambiguate functional.log
fstdeterminize --det_type=nonfunctional not_functional.log
fstdeterminize --det_type=nonfunctional --subsequential_label=9 --increment_subsequential_label several.log
fstdeterminize --det_type=nonfunctional acyclic.log
fstdeterminize --det_type=nonfunctional functional.log
fstminimize late.log
fstminimize fork.log
fstminimize circle.log
fstminimize functional.log
fstminimize chain.log
fstminimize deterministic.log
fstminimize trigrams.log
fstminimize acceptor.log
fstdeterminize acceptor
fstdeterminize not_functional
fstdeterminize --det_type=nonfunctional not_functional
fstminimize deterministic
fstminimize acceptor
fstminimize --allow_nondet acceptor
fstshortestpath acyclic
fstshortestpath --nshortest=3 cyclic
fstshortestpath --nshortest=5 trigrams
fstshortestpath --nshortest=5 --unique acceptor
fstshortestpath --nshortest=7 --unique grammar
fstshortestpath --nshortest=5 --unique acyclic
fstshortestpath --nshortest=9 --weight=1.5 acyclic
fstshortestpath --nshortest=9 --weight=low acyclic
fstshortestpath --nshortest=9 --nstate=12 grammar
fstshortestpath --nshortest=3 --queue_type=fifo --delta=0.1 cyclic
fstshortestpath --queue_type=other cyclic
fstshortestpath acyclic.log
fstshortestpath empty
fstequivalent --random --npath=20 --seed=5 acyclic acyclic
fstequivalent --random --npath=20 --seed=5 acyclic cyclic
fstequivalent --random --npath=20 --seed=5 minimal.log deterministic.log
fstequivalent --random --npath=20 --seed=5 minimal empty
fstequivalent --random --select=other minimal minimal
fstpush --push_weights deterministic
fstpush --push_weights --to_final acyclic
fstpush --push_weights --remove_total_weight acyclic
fstpush --push_weights --delta=1e-6 deterministic.log
fstpush acyclic
fstpush --push_labels late
fstpush --push_labels circle
fstpush --push_labels fork
fstpush --push_labels lexicon
fstpush --push_labels --push_weights circle
fstpush --push_labels --push_weights --delta=1e-6 late.log
fstpush --push_labels --remove_common_affix late
fstpush --push_labels --remove_common_affix circle
fstpush --push_labels --to_final late
fstpush --push_labels --to_final --remove_common_affix fork
fstpush --push_labels --to_final --push_weights --remove_total_weight --remove_common_affix circle
fstpush --push_labels --push_weights --remove_total_weight fork
fstreplace string 10 acyclic 2
fstreplace chain 99 acyclic 20
fstreplace --epsilon_on_replace chain 99 acyclic 20
fstreplace --return_arc_labeling=both --return_label=7 chain 99 acyclic 20
fstreplace chain 99 chain 20
fstconvert --fst_type=const cyclic
fstconvert --fst_type=compact_acceptor acceptor
fstconvert cyclic.const
fstconvert cyclic.olabel_lookahead
fstconvert acceptor.compact_acceptor
fstconvert string.compact_string
fstconvert unweighted.compact_unweighted
fstconvert trigrams.ngram
fstinfo trigrams.ngram
fstinfo cyclic.log
fstinfo cyclic.olabel_lookahead
fstreverse cyclic.log
fstconnect cyclic.log
fstinvert cyclic.log
fstunion cyclic.log acyclic.log
fstunion cyclic.log acyclic
fstsymbols --clear_isymbols cyclic
fstrelabel --relabel_opairs=pairs.list cyclic
fstrelabel cyclic
fstequivalent deterministic minimal
fstequivalent deterministic acceptor
fstequivalent renumbered deterministic
fstequivalent minimal minimal.half
fstisomorphic deterministic renumbered
fstisomorphic deterministic minimal
fstisomorphic cyclic cyclic.isorted
fstisomorphic empty empty
fstinfo cyclic
fstinfo deterministic
fstinfo --info_type=short acyclic
fstinfo --arc_filter=epsilon cyclic
fstdraw --portrait acyclic
fstdraw --isymbols=letters.txt --osymbols=letters.txt --title=x --acceptor minimal
fstdraw --isymbols=few.txt acyclic
fstprint cyclic
fstprint --isymbols=letters.txt --osymbols=letters.txt acyclic
fstprint --isymbols=few.txt acyclic
fstprint --isymbols=few.txt --missing_symbol=? acyclic
fstprint --acceptor --show_weight_one minimal
fstprint --bogus acyclic
fstprint none
fstprint one.list
fstcompose acyclic
fstaddselfloops two.list other.list cyclic
fstaddselfloops one.list bad.list cyclic
fstaddselfloops none two.list cyclic
fstrmsymbols one.list cyclic
fstrmsymbols --apply-to-output=true one.list cyclic
fstrmsymbols --remove-from-output=true one.list cyclic
fstrmsymbols --remove-arcs=true one.list acyclic
fstrmsymbols --penalty=2 one.list cyclic
fstrmsymbols --penalty=2 --remove-arcs=true one.list cyclic
fstrmepslocal cyclic
fstrmepslocal acyclic
fstrmepslocal --use-log=true acyclic
fstrmepslocal --stochastic-in-log=false acyclic
fstrmepslocal --use-log=true --stochastic-in-log=false acyclic
fstrmepslocal empty
fstminimizeencoded deterministic
fstminimizeencoded --delta=0.6 acyclic
fstpushspecial deterministic
fstisstochastic deterministic
fstisstochastic --test-in-log=false acyclic
fstisstochastic --delta=10 acyclic
fstisstochastic cyclic.log
fstisstochastic empty
fstdeterminizestar acyclic
fstdeterminizestar acceptor
fstdeterminizestar --use-log=true acceptor
fstdeterminizestar --max-states=1 acceptor
fstdeterminizestar not_functional
fstdeterminizestar none
fsttablecompose acyclic.osorted deterministic
fsttablecompose --match-side=right acyclic.osorted cyclic.isorted
fsttablecompose acyclic.osorted cyclic
fsttablecompose --match-side=middle acyclic deterministic
fsttablecompose acyclic
make-h-transducer ilabels1 tree mdl
make-h-transducer --transition-scale=0.5 ilabels1 tree mdl
make-h-transducer ilabels3 tree mdl
make-h-transducer none tree mdl
add-self-loops mdl H
add-self-loops --self-loop-scale=0.1 mdl lexicon_tids
add-self-loops --reorder=false mdl lexicon_tids
add-self-loops --disambig-syms=tid.list mdl H.disambig
add-self-loops mdl looped
compile-graph --read-disambig-syms=disambig.list --self-loop-scale=0.1 tree mdl lexicon.osorted grammar
compile-graph --read-disambig-syms=one.list tree mdl lexicon grammar
compile-graph tree mdl lexicon
fstcomposecontext --nonterm-phones-offset=6 --context-size=2 --read-disambig-syms=disambig.list ilabels top
fstcomposecontext --nonterm-phones-offset=6 ilabels top
make-h-transducer --nonterm-phones-offset=6 labels.top tree2 mdl2
make-h-transducer --nonterm-phones-offset=6 labels.inner tree2 mdl2
make-h-transducer labels.inner tree2 mdl2
add-self-loops mdl2 forward.top
add-self-loops mdl2 forward.inner
make-grammar-fst --nonterm-phones-offset=6 looped.top
make-grammar-fst --nonterm-phones-offset=6 looped.inner
make-grammar-fst looped.inner
make-grammar-fst --nonterm-phones-offset=60 looped.inner
make-grammar-fst --nonterm-phones-offset=6 --write-as-grammar=false prepared.top 10 prepared.inner
make-grammar-fst --nonterm-phones-offset=6 --write-as-grammar=false prepared.top 11 prepared.inner
make-grammar-fst --nonterm-phones-offset=6 prepared.top 9 prepared.inner
fstcomposecontext ilabels deterministic
fstcomposecontext --context-size=2 --central-position=1 --read-disambig-syms=one.list ilabels acyclic
fstcomposecontext --write-disambig-syms=x ilabels acyclic
"""
TEXT = ("fstprint", "fstinfo", "fstdraw", "fstisstochastic", "fstequivalent", "fstisomorphic")


def call(*words: str | Path, stdin: str = "") -> str:
    return subprocess.run(words, input=stdin, capture_output=True, text=True, check=True).stdout


def make_inputs(folder: Path) -> None:
    """All files that the commands name, by OpenFst."""
    for name, text in (LISTS | SYMBOLS).items():
        (folder / name).write_text(text)
    for name, text in INPUTS.items():
        call("fstcompile", "-", folder / name, stdin=text)
        call("fstcompile", "--arc_type=log", "-", folder / f"{name}.log", stdin=text)
        for side in ("ilabel", "olabel"):
            for log in ("", ".log"):
                call(
                    "fstarcsort",
                    f"--sort_type={side}",
                    f"{folder}/{name}{log}",
                    f"{folder}/{name}.{side[0]}sorted{log}",
                )
    for fst_type, names in TYPES.items():
        for name in names:
            call("fstconvert", f"--fst_type={fst_type}", folder / name, folder / f"{name}.{fst_type}")
    make_model(folder)
    make_grammar(folder)
    call("fstcompile", "-", folder / "minimal.half", stdin=INPUTS["minimal"].replace("0.25", "0.5"))


# A grammar of two graphs: 4 and 5 are disambiguation symbols, 6 to 9 #nonterm_bos to #nonterm_reenter, 10 leads from
# top into inner.
INPUTS |= {
    "top": "0 1 1 1 0.5\n1 2 10 0 0.7\n1 4 2 2 1\n2 3 1 0 0.1\n2 3 2 0 0.1\n2 3 3 0 0.2\n3 4 3 3 0.25\n"
    "4 1 4 0 0.3\n4 0.4\n",
    "inner": "0 1 7 0\n1 2 1 0\n1 2 2 0\n1 2 3 0\n1 2 6 0\n2 3 2 5 0.5\n2 3 3 6 1\n2 3 4 0 2\n3 4 3 0\n3 5 1 7 0.9\n"
    "4 6 8 0 0.1\n5 6 8 8 0.3\n6 0.5\n",
}
GRAPHS = ("top", "inner")
PARTS = [f"{part}.{graph}" for graph in GRAPHS for part in ("labels", "forward", "looped", "prepared")]
MADE_BY_KALDI = (*PARTS, "whole_grammar", "mdl2", "tree2", "tree", "mdl", "ilabels1", "ilabels3")
# Paths of transition-ids; of mdl, 13 is the last, and 1, 3, 5, 7, 9 and 12 are self-loops.
INPUTS |= {
    "lexicon_tids": "0 1 2 1 0.5\n0 2 6 2 0.25\n0 3 0 3\n1 4 4 0\n2 4 8 0 0.5\n3 4 10 0\n3 1 2 0\n1 0 0 0 1\n4 0 0 0\n"
    "4 0.5\n1 2\n",
    "looped": "0 0 1 1\n0\n",
    "H": "0 1 2 2\n1 0 4 0\n0\n",
    "H.disambig": "0 1 2 2\n1 2 14 0\n2 0 4 0\n0\n",
}
LISTS["tid.list"] = "14\n"


def make_model(folder: Path) -> None:
    """A model of single phones and what labels in windows mean, by Kaldi."""
    (folder / "topo").write_text(TOPOLOGY)
    call("gmm-init-mono", folder / "topo", "1", folder / "mdl", folder / "tree")
    for width, central in (("1", "0"), ("3", "1")):
        options = (
            f"--context-size={width}",
            f"--central-position={central}",
            f"--read-disambig-syms={folder}/disambig.list",
        )
        call("fstcomposecontext", *options, folder / f"ilabels{width}", folder / "lexicon.isorted", folder / "x")


MAKE_GRAMMAR = """
fstcomposecontext --nonterm-phones-offset=6 --context-size=2 --central-position=1 --read-disambig-syms=disambig.list \\
  labels.{0} {0} | fstarcsort > {0}.context
make-h-transducer --nonterm-phones-offset=6 --disambig-syms-out={0}.tid labels.{0} tree2 mdl2 |
  fsttablecompose - {0}.context | fstdeterminizestar --use-log=true | fstrmsymbols {0}.tid | fstrmepslocal |
  fstminimizeencoded > forward.{0}
add-self-loops mdl2 forward.{0} looped.{0}
make-grammar-fst --nonterm-phones-offset=6 looped.{0} - | fstconvert --fst_type=const > prepared.{0}
"""


def make_grammar(folder: Path) -> None:
    """Its parts, and whole_grammar, a GrammarFst; the model of two phones in context is gmm-init-biphone's."""
    call("gmm-init-biphone", folder / "topo", "1", folder / "mdl2", folder / "tree2")
    for graph in GRAPHS:
        subprocess.run(["bash", "-e", "-o", "pipefail", "-c", MAKE_GRAMMAR.format(graph)], cwd=folder, check=True)
    parts = folder / "prepared.top", "10", folder / "prepared.inner"
    call("make-grammar-fst", "--nonterm-phones-offset=6", *parts, folder / "whole_grammar")


def main() -> None:
    outputs: dict[str, list] = {}
    files = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_inputs(folder)
        for fst_type, inputs in TYPES.items():
            for name in inputs:
                files[f"{name}.{fst_type}"] = b64encode((folder / f"{name}.{fst_type}").read_bytes()).decode()
        files |= {name: b64encode((folder / name).read_bytes()).decode() for name in MADE_BY_KALDI}
        for command in COMMANDS.strip().split("\n"):
            words = command.split()
            if words[0] in ("compile-graph", "make-grammar-fst") and words[-1] != "lexicon":
                words.append("-")
            done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True)
            text = done.stdout.decode() if words[0] in TEXT else ""
            if not done.returncode and words[0] not in TEXT:
                text = subprocess.run(["fstprint"], input=done.stdout, capture_output=True, check=True).stdout.decode()
            if done.returncode and words[0] != "fstisstochastic":
                text = ""  # what was written before the error
            outputs[command] = [done.returncode, text.split("\n")]
    OUTPUTS.write_text(json.dumps({"files": files, "outputs": outputs}, indent=0) + "\n")


if __name__ == "__main__":
    main()
