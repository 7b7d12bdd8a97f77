"""The programs that scoring calls, beside what Kaldi's wrote for the same small inputs (all of them made up here).

scoring/kaldi.json has for each call Kaldi's exit status, standard output, log lines and files. The lattices are
decodings of random features over a vocabulary of six words, with phones that know their places in words (words.*) and
with phones that do not (phones.*); the models are transition models alone.
"""

import shutil
from pathlib import Path

import pytest

from kaldi_bridge.commands.lang.get_prons import main as get_prons
from tests.helpers.kaldis_outputs import ERROR, Case, assert_alike, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "scoring"
CASES = read_cases(DATA)
NOT_COUNTED_BY_KALDI = {"phones-to-prons"}  # it forgets the utterances whose phones do not fit


@pytest.fixture()
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_as_kaldi(case: Case, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert_as_kaldi(case, folder)
    out, err = capfd.readouterr()
    assert_alike(out, case["stdout"])
    if case["status"] != ERROR and case["log"] and case["program"] not in NOT_COUNTED_BY_KALDI:
        assert_alike(err.strip().split("\n")[-1].partition(") ")[2], case["log"][-1])
    elif case["program"] in NOT_COUNTED_BY_KALDI:
        assert "Done 2 utterances; 2 had errors." in err


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return f"ark,t:{name}"


CYCLE = "utt \n0\t1\t5\t1,2,62\n1\t0\t5\t1,2,62\n1\t0,0,\n\n"
UNEQUAL = "utt \n0\t1\t5\t1,2,62_64\n0\t1\t6\t1,2,62\n1\t0,0,\n\n"
BEYOND = "utt \n0\t1\t5\t1,2,6200\n1\t0,0,\n\n"
PROGRAMS = {
    "lattice-align-words": ["word_boundary.int", "words.mdl", "IN", "ark,t:OUT/1"],
    "lattice-align-words-lexicon": ["align_lexicon.int", "phones.mdl", "IN", "ark,t:OUT/1"],
    "lattice-align-phones": ["words.mdl", "IN", "ark,t:OUT/1"],
    "lattice-mbr-decode": ["IN", "ark,t:OUT/1"],
    "lattice-to-ctm-conf": ["IN", "OUT/1"],
    "lattice-depth-per-frame": ["IN", "ark,t:OUT/1"],
    "lattice-to-post": ["IN", "ark,t:OUT/1"],
    "lattice-arc-post": ["words.mdl", "IN", "OUT/1"],
    "lattice-limit-depth": ["IN", "ark,t:OUT/1"],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_cycle_is_an_error_and_nothing_is_written(
    program: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = written(folder, "in", CYCLE)
    assert twin(program).run([source if word == "IN" else word for word in PROGRAMS[program]]) == 255
    err = capfd.readouterr().err
    assert "utt" in err and "cycle" in err
    assert not (folder / "OUT/1").exists()


@pytest.mark.parametrize(
    "program", ["lattice-mbr-decode", "lattice-to-ctm-conf", "lattice-depth-per-frame", "lattice-to-post"]
)
def test_paths_of_unequal_length_are_an_error(program: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = written(folder, "in", UNEQUAL)
    assert twin(program).run([source if word == "IN" else word for word in PROGRAMS[program]]) == 255
    assert "not consistent" in capfd.readouterr().err


@pytest.mark.parametrize(
    "program",
    ["lattice-align-words", "lattice-align-words-lexicon", "lattice-align-phones"],
)
def test_transition_id_beyond_the_model(program: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = written(folder, "in", BEYOND)
    assert twin(program).run([source if word == "IN" else word for word in PROGRAMS[program]]) == 255
    assert "6200 is no transition-id of the model" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Empty word-boundary file"),
        ("1 nonword\n2 somewhere\n", "Invalid line in word-boundary file"),
        ("1 nonword\n", "was not specified in the word-boundary file"),
    ],
)
def test_bad_word_boundaries(text: str, message: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.int").write_text(text)
    arguments = ["bad.int", "words.mdl", "ark:words.lats", "ark,t:OUT/1"]
    assert twin("lattice-align-words").run(arguments) == 255
    assert message in capfd.readouterr().err
    assert not (folder / "OUT/1").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the alignment lexicon is empty"),
        ("5\n", "Lexicon line is invalid"),
        ("5 5 3\n5 6 3\n", "inconsistent to-word"),
        ("0 0\n", "Zero word with empty pronunciation"),
        ("0 0 1\n", "is not present in the lexicon"),
    ],
)
def test_bad_alignment_lexicon(text: str, message: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.int").write_text(text)
    arguments = ["bad.int", "phones.mdl", "ark:phones.lats", "ark,t:OUT/1"]
    assert twin("lattice-align-words-lexicon").run(arguments) == 255
    assert message in capfd.readouterr().err


def test_empty_lattice_is_left_out(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = written(folder, "in", "utt \n\n")
    assert twin("lattice-mbr-decode").run([source, "ark,t:OUT/1"]) == 1
    assert "No minimum Bayes risk for utt: empty lattice" in capfd.readouterr().err
    assert (folder / "OUT/1").read_text() == ""


def test_depth_of_a_lattice_without_an_end(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It has no frames, as Kaldi's program says."""
    (folder / "endless").write_text("k \n0\t1\t1\t1,2,2_4\n\n")
    assert twin("lattice-depth-per-frame").run(["ark:endless", "ark,t:depths"]) == 0
    assert (folder / "depths").read_text() == "k \n"
    assert "does not have a final-state" in capfd.readouterr().err


@pytest.mark.parametrize("program", ["lattice-push", "lattice-minimize"])
def test_lattices_that_cannot_be_pushed_are_left_out(
    program: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = written(folder, "in", CYCLE.replace("utt", "one") + "two \n\n" + "six \n0\t1\t5\t1,2,62\n1\t0,0,\n\n")
    assert twin(program).run([source, "ark,t:OUT/1"]) == 0
    err = capfd.readouterr().err
    assert "Failure in pushing lattice (bad lattice?), for key one" in err and "Empty lattice for key two" in err
    assert (folder / "OUT/1").read_text().startswith("six ")


def test_a_pipe_of_programs_gives_the_ctm_of_get_ctm(folder: Path) -> None:
    """lattice-1best | lattice-align-words | nbest-to-ctm, as steps/get_ctm.sh has it."""
    assert twin("lattice-1best").run(["--acoustic-scale=0.3", "ark:words.lats", "ark:best"]) == 0
    assert twin("lattice-align-words").run(["word_boundary.int", "words.mdl", "ark:best", "ark:aligned"]) == 0
    assert twin("nbest-to-ctm").run(["ark:aligned", "ctm"]) == 0
    assert twin("nbest-to-prons").run(["words.mdl", "ark:aligned", "prons"]) == 0
    words = [line.split()[4] for line in (folder / "ctm").read_text().splitlines()]
    assert words == [line.split()[3] for line in (folder / "prons").read_text().splitlines() if line.split()[3] != "0"]
    assert words


@pytest.mark.parametrize(
    ("name", "align"),
    [
        ("words", ["lattice-align-words", "word_boundary.int"]),
        ("phones", ["lattice-align-words-lexicon", "align_lexicon.int"]),
    ],
)
def test_get_prons_lists_what_the_pipes_of_get_prons_sh_do(name: str, align: list[str], folder: Path) -> None:
    """From lattices, and from the alignments and words of their best paths; an utterance without words is left out."""
    program, places = align
    (folder / "lang/phones").mkdir(parents=True)
    (folder / "lang/words.txt").write_text("<eps> 0\n" + "".join(f"w{i} {i}\n" for i in range(1, 1000)))
    shutil.copyfile(folder / places, folder / "lang/phones" / places)
    (folder / "lang/oov.int").write_text("1\n")
    assert twin("lattice-1best").run(["--lm-scale=7", f"ark:{name}.lats", "ark:best"]) == 0
    assert twin(program).run([places, f"{name}.mdl", "ark:best", "ark:aligned"]) == 0
    assert twin("nbest-to-prons").run([f"{name}.mdl", "ark:aligned", "prons"]) == 0
    kept = ["lang", f"{name}.mdl"]
    assert get_prons.run(["--lmwt=7", *kept, f"ark:{name}.lats", "from_lattices"]) == 0
    assert (folder / "from_lattices").read_text() == (folder / "prons").read_text()

    assert twin("nbest-to-linear").run(["ark:best", "ark:alignments", "ark,t:numbers"]) == 0
    texts = [line.split() for line in (folder / "numbers").read_text().splitlines()]
    lines = [" ".join([utterance, *(f"w{number}" for number in numbers)]) + "\n" for utterance, *numbers in texts]
    (folder / "text").write_text("".join(lines[:-1]))
    assert get_prons.run(["--text=text", *kept, "ark:alignments", "from_alignments"]) == 0
    expected = [line for line in (folder / "prons").read_text().splitlines() if line.split()[0] != texts[-1][0]]
    assert (folder / "from_alignments").read_text().splitlines() == expected and expected


SEVERAL_PATHS = """b
0 1 1 1.5,2.5,3_4
0 2 2 2.5,1.25,5
1 3 3 0.5,0.75,6
2 3 0 0.25,0.5,7_7
3 0.125,0.0625,

c
0 1 0 1.5,2.5,3_4
0 2 2 2.5,1.25,5
1 3 3 0.5,0.75,6
1 0.5,0.5,
2 3 4 0.25,0.5,7_7
3

d
0 1 7 1.5,2.5,3_4
1 0.5,0.5,

e
0 0.5,0.25,1_2

"""
TWO_BEST = """b-1 
0 1 0
1 2 2 2.875,1.8125,5_7_7
2

b-2 
0 1 0
1 2 1 1.5,2.5,3_4
2 3 3 0.625,0.8125,6
3

c-1 
0 1 0
1 2 2 2.5,1.25,5
2 3 4 0.25,0.5,7_7
3

c-2 
0 1 0 2,3,3_4
1

d-1 
0 1 0
1 2 7 2,3,3_4
2

e-1 
0 1 0 0.5,0.25,1_2
1

"""


def test_each_of_several_paths_is_laid_out_as_kaldis(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """``TWO_BEST`` is what Kaldi's program wrote: paths begin with an epsilon, final costs are on the last arc."""
    assert twin("lattice-to-nbest").run(["--n=2", written(folder, "several", SEVERAL_PATHS), "ark,t:-"]) == 0
    assert capfd.readouterr().out.replace("\t", " ") == TWO_BEST
