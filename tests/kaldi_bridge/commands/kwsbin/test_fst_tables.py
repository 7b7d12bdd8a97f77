"""Programs for tables of FSTs beside Kaldi's, whose outputs are in outputs.json: states, arcs and their order, costs to
1e-5, and the exit status."""

import json
import math
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from tests.helpers.twins import twin
from tests.kaldi_bridge.commands.kwsbin.make_outputs import FSTS, OUTPUTS, TABLES

MADE = json.loads(OUTPUTS.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    for name, text in FSTS.items():
        (folder / "text").write_text(text)
        assert run(twin("fstcompile"), [str(folder / "text"), str(folder / name)]) == 0
    return folder


def near(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    try:
        return math.isclose(float(ours), float(theirs), abs_tol=1e-5)
    except ValueError:
        return False


@pytest.mark.parametrize("command", MADE)
def test_as_kaldi(
    command: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    program, *words = command.split()
    status, text = MADE[command]
    monkeypatch.chdir(folder)
    assert run(twin(program), [*words, f"ark,t:{tmp_path}/out"]) == status
    heard = capfd.readouterr().err
    if status:
        assert heard and (not (tmp_path / "out").exists() or not (tmp_path / "out").read_text())
        return
    ours, theirs = (made.split("\n") for made in ((tmp_path / "out").read_text(), text))
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert len(mine.split()) == len(other.split()), (mine, other)
        assert all(map(near, mine.split(), other.split())), (mine, other)


def test_a_cost_without_a_label(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """There is no arc that could have it: Kaldi's program writes to where none is."""
    tables = f"ark:{folder}/words", f"ark:{folder}/cost_of_none", f"ark:{tmp_path}/out"
    assert run(twin("transcripts-to-fsts"), list(tables)) == 255
    assert "key c: there is a cost for a transcription without labels" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
