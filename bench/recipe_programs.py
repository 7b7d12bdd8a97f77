"""Which programs Kaldi's recipes call, and which of them are here: ``recipe_programs.py KALDI [PAGE]``.

KALDI is a checkout (scripts and names of sources are read, nothing is run); without one, that of $KALDI_ROOT. For each
recipe, all scripts are read that its run.sh reaches: files of ``steps``, ``utils``, ``local`` and ``conf`` that a
script names, and modules of ``steps/libs`` that it imports. Comments do not count, usage texts and branches that are
never taken do. A word that is the name of a program in ``src/*bin``, or of OpenFst's, is a call of it. PAGE is a
document whose table between two comments is made anew.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nnet3_compat.machine.programs import find_programs

RECIPES = """
    mini_librispeech/s5 librispeech/s5 tedlium/s5_r3 wsj/s5 ami/s5b swbd/s5c aishell/s5 aishell2/s5 commonvoice/s5
    yesno/s5 an4/s5 voxforge/s5 timit/s5 gale_arabic/s5d gale_mandarin/s5 multi_cn/s5 hkust/s5 reverb/s5 chime5/s5b
    chime6/s5_track1 sre16/v2 voxceleb/v2 callhome_diarization/v2 mgb2_arabic/s5 mgb5/s5 babel/s5d rm/s5 thchs30/s5
    gigaspeech/s5 wenetspeech/s5 zeroth_korean/s5 tidigits/s5 heroico/s5
"""
OPENFST = """
    arcsort closure compile compose concat connect convert determinize difference disambiguate draw encode epsnormalize
    equal equivalent info intersect invert isomorphic linear map minimize print project prune push randgen relabel
    replace reverse reweight rmepsilon shortestdistance shortestpath special symbols synchronize topsort union
"""
# What no recipe of today needs and stays out, by folder or, among programs that do not, by name; the count is told
OLDER_FOLDERS = {"nnetbin": "nnet1", "nnet2bin": "nnet2", "sgmmbin": "SGMM", "sgmm2bin": "SGMM", "onlinebin": "online1"}
OLDER_PROGRAMS = {
    **dict.fromkeys(("online2-wav-nnet2-latgen-faster", "online2-wav-nnet2-latgen-threaded"), "nnet2"),
}
BEGIN, END = "<!-- recipes: made by bench/recipe_programs.py -->", "<!-- end of recipes -->"
_PATH = re.compile(r"[\w.+-]+(?:/[\w.+-]+)*")
_WORD = re.compile(r"(?<![\w./-])[a-z][a-z0-9-]*[a-z0-9](?![\w-]|\.\w)")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.M)
_IMPORT = re.compile(r"^\s*(?:import|from)\s+(libs(?:\.\w+)*)(?:\s+import\s+(\w+))?", re.M)


def kaldi_programs(kaldi: Path) -> dict[str, str]:
    """Names of Kaldi's and OpenFst's programs, and the folder of each."""
    programs = {path.stem: path.parent.name for path in sorted(kaldi.glob("src/*bin/*.cc"))}
    return {**programs, **{f"fst{name}": "openfst" for name in OPENFST.split()}}


def scripts_of(recipe: Path) -> list[Path]:
    """The files that its run.sh reaches, each once."""
    seen: dict[Path, None] = {}
    first = next(path for path in (recipe / "run.sh", recipe / "run-1-main.sh") if path.is_file())
    waiting = [first]
    while waiting:
        path = waiting.pop().resolve()
        if path in seen:
            continue
        seen[path] = None
        waiting += _named_in(path, recipe)
    return list(seen)


def _named_in(path: Path, recipe: Path) -> Iterator[Path]:
    text = _text(path)
    for word in set(_PATH.findall(text)):
        name = re.sub(r"^(\./)+", "", word)
        places = [recipe / name] if "/" in name else [recipe / "utils" / name, recipe / name]
        for place in places:
            if place.suffix in (".sh", ".pl", ".py", ".awk") and place.is_file():
                yield place
                break
    for module, member in _IMPORT.findall(text):
        base = recipe / "steps" / module.replace(".", "/")
        yield from (p for p in (base.with_suffix(".py"), base / f"{member}.py") if p.is_file())


def _text(path: Path) -> str:
    return _COMMENT.sub("", path.read_text(errors="replace"))


def calls_of(scripts: list[Path], programs: dict[str, str]) -> set[str]:
    """The programs that scripts call."""
    return {word for path in scripts for word in _WORD.findall(_text(path)) if word in programs}


def table(kaldi: Path) -> str:
    """A row for each recipe; complete ones first, then by how many programs are missing."""
    programs = kaldi_programs(kaldi)
    ours = {program.kaldi_name for program in find_programs() if program.kaldi_name}
    rows = []
    for name in RECIPES.split():
        scripts = scripts_of(kaldi / "egs" / name)
        calls = calls_of(scripts, programs)
        missing = calls - ours
        rows.append((len(missing), name, len(scripts), len(calls), _listed(missing, programs)))
    rows.sort(key=lambda row: row[0])
    complete = sum(not row[0] for row in rows)
    lines = [f"{complete} of {len(rows)} recipes call no program that is not here.", ""]
    lines += ["| recipe | scripts | programs | missing | which |", "|---|---:|---:|---:|---|"]
    lines += [f"| {name} | {scripts} | {calls} | {count} | {which} |" for count, name, scripts, calls, which in rows]
    return "\n".join(lines)


def _listed(missing: set[str], programs: dict[str, str]) -> str:
    kinds = {name: OLDER_PROGRAMS.get(name) or OLDER_FOLDERS.get(programs[name]) for name in missing}
    names = sorted(name for name in missing if not kinds[name])
    counts = Counter(kind for kind in kinds.values() if kind)
    return ", ".join([*(f"`{name}`" for name in names), *(f"{counts[kind]} for {kind}" for kind in sorted(counts))])


def main() -> None:
    kaldi = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("KALDI_ROOT", "."))
    if not (kaldi / "egs/wsj/s5/steps").is_dir():
        print("needs a checkout of Kaldi: its folder, or $KALDI_ROOT")
        return
    made = table(kaldi)
    print(made)
    for page in map(Path, sys.argv[2:]):
        before, _, rest = page.read_text().partition(BEGIN)
        page.write_text(f"{before}{BEGIN}\n{made}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
