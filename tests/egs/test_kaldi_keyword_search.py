"""Kaldi's keyword search, unmodified, where nothing of Kaldi is compiled: the scripts of mini_librispeech and of babel.

The files in keyword_search/ are what the same scripts made of the same lattices with Kaldi's programs:

    KALDI_ROOT=... PYTHONPATH=. python -m tests.egs.test_kaldi_keyword_search FOLDER-OF-KALDIS-PROGRAMS REFERENCE
"""

import gzip
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.helpers.kaldi_recipes import copy_recipe, kaldi_checkout, run_recipe

KALDIS = Path(__file__).parent / "keyword_search"
KEYWORDS = """KW-1 seven
KW-2 nine nine
KW-3 two zero
KW-4 five one
KW-5 three six eight
KW-6 four eleven
"""
SCRIPTS = """set -e
. ./path.sh
utils/fix_data_dir.sh test
kws=test/kws
mkdir $kws
ln -s kws test/kwset_babel
utils/data/get_utt2dur.sh test
awk '{sum += $2} END {print sum}' test/utt2dur > $kws/trials
awk '{print $1, NR}' test/utt2dur > $kws/utt.map
local/kws/keywords_to_indices.pl --map-oov 0 lang/words.txt < keywords.txt | sort -u > $kws/keywords.int
steps/align_si.sh --nj 2 --cmd run.pl test lang tri ali
local/kws/create_hitlist.sh test lang dict ali $kws
local/kws/compile_keywords.sh $kws lang $kws/compiled
cp $kws/compiled/keywords.fsts $kws/keywords.fsts
local/kws/search.sh --cmd run.pl --min-lmwt 9 --max-lmwt 10 lang test model/decode
steps/search_index.sh --cmd run.pl --indices-dir model/decode/kws_10 $kws model/decode/steps
local/search/search.sh --cmd run.pl --skip-scoring true --min-lmwt 10 --max-lmwt 10 --max-states 200 \\
  --extraid babel lang test model/decode
"""


def search(reference: Path, folder: Path, programs: Path | None = None) -> dict[str, str]:
    """Runs the scripts; what they find."""
    kaldi = kaldi_checkout()
    recipe = copy_recipe("mini_librispeech/s5", kaldi, folder, programs)
    shutil.copytree(kaldi / "egs/babel/s5d/local/search", recipe / "local/search")
    kaldis = reference / "fsdd"
    shutil.copytree(kaldis / "lang", recipe / "lang", copy_function=shutil.copyfile)
    lexicon = re.findall(r"^(?!<eps>)\S+ (.*\n)", (recipe / "lang/phones/align_lexicon.txt").read_text(), re.MULTILINE)
    (recipe / "dict").mkdir()
    (recipe / "dict/lexicon.txt").write_text("".join(lexicon))
    phones = (recipe / "lang/phones.txt").read_text()
    ends = f"#2 {len(phones.splitlines())}\n"  # of words, as #1 are their beginnings
    (recipe / "lang/phones.txt").write_text(phones + ends)
    (recipe / "tri").mkdir()
    for file in ("tri1/tree", "tri1/final.mdl", "lang/phones.txt"):
        shutil.copyfile(kaldis / file, recipe / "tri" / Path(file).name)
    decode = recipe / "model/decode"
    decode.mkdir(parents=True)
    for file in ("tdnnf_cmvn/final.mdl", "tdnnf_cmvn/frame_subsampling_factor"):
        shutil.copyfile(kaldis / file, recipe / "model" / Path(file).name)
    for file in ("lat.1.gz", "lat.2.gz"):
        shutil.copyfile(kaldis / "decode_test_cmvn" / file, decode / file)
    (decode / "num_jobs").write_text("2\n")
    data = recipe / "test"
    shutil.copytree(kaldis / "data/test", data, copy_function=shutil.copyfile)
    for name in ("feats", "cmvn"):
        table = re.sub(r" \S*/", f" {kaldis}/data/test/", (data / f"{name}.scp").read_text())
        (data / f"{name}.scp").write_text(table)
    wav = (data / "wav.scp").read_text().replace("../../corpus", str(kaldis.parent.parent / "corpus"))
    (data / "wav.scp").write_text(wav)
    (recipe / "keywords.txt").write_text(KEYWORDS)
    (recipe / "kws.sh").write_text(SCRIPTS)
    run_recipe(recipe, "kws.sh")
    found = {name: (decode / name).read_text() for name in ("kws_9/results", "kws_10/results", "kws_10/score.txt")}
    found["hitlist"] = (data / "kws/hitlist").read_text()
    for name in ("steps", "kwset_babel_10"):
        lines = [gzip.decompress((decode / name / f"result.{job}.gz").read_bytes()).decode() for job in (1, 2)]
        found[name] = "".join(lines)
    return found


@pytest.mark.slow
def test_keyword_search_finds_what_kaldis_programs_find(reference: Path, tmp_path: Path) -> None:
    """Occurrences, scores and values of keywords are the same to the byte."""
    for name, text in search(reference, tmp_path).items():
        assert text == (KALDIS / name.replace("/", ".")).read_text(), name


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, text in search(Path(sys.argv[2]), Path(folder), Path(sys.argv[1])).items():
            KALDIS.mkdir(exist_ok=True)
            (KALDIS / name.replace("/", ".")).write_text(text)
