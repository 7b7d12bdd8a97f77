"""Programs: entry points, links and the README's table are what lies in the commands folders."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kaldi_bridge.command import Command
from kaldi_bridge.errors import KaldiError
from nnet3_compat.machine import recipes
from nnet3_compat.machine.links import make_links, shell_file, wanted_links
from nnet3_compat.machine.programs import PREFIX, Program, find_programs, with_table
from nnet3_compat.machine.recipes import recipes_folder
from tests.helpers.places import ROOT

PROGRAMS = find_programs()


def test_entry_points() -> None:
    scripts = importlib.metadata.entry_points(group="console_scripts")
    installed = {f"{e.name} = {e.value}" for e in scripts if e.name.startswith(PREFIX)}
    assert installed == {program.entry_point for program in PROGRAMS}, "install the package anew"


def test_every_module_is_a_command_of_its_own_name() -> None:
    """The name in its usage is that of the entry point, too."""
    assert len({program.name for program in PROGRAMS}) == len(PROGRAMS)
    for program in PROGRAMS:
        main = importlib.import_module(program.module).main
        assert callable(main), program.module
        if isinstance(main, Command) and program.name != "nnet-pytorch-chain-train":
            assert program.name in main.usage, program.module


def test_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert with_table(readme, PROGRAMS) == readme, "run python -m nnet3_compat.machine.programs README.md"


def test_kaldis_names() -> None:
    kaldis = {program.name: program.kaldi_name for program in PROGRAMS}
    assert kaldis["nnet-pytorch-compute"] == "nnet3-compute"
    assert kaldis["nnet-pytorch-chain-train"] == "nnet3-chain-train" and kaldis["nnet-pytorch-train-chain"] is None
    assert kaldis["nnet-pytorch-am-info"] == "nnet3-am-info" and kaldis["nnet-pytorch-transitions-info"] == "am-info"
    assert kaldis["nnet-pytorch-online2-wav-latgen-faster"] == "online2-wav-nnet3-latgen-faster"
    assert kaldis["nnet-pytorch-generate"] is None and kaldis["nnet-pytorch-decorrupt"] is None


def program(kaldi_name: str) -> Program:
    return next(program for program in PROGRAMS if program.kaldi_name == kaldi_name)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with some of the programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("nnet3-compute", "copy-feats"):
        (folder / program(name).name).touch(0o755)
    return folder


def test_kaldis_own_programs_go_before_ours_but_for_networks(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaldi = tmp_path / "kaldi"
    kaldi.mkdir()
    for name in ("nnet3-compute", "copy-feats"):
        (kaldi / name).touch(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    assert set(wanted_links(PROGRAMS, installed)) == {"nnet3-compute", "copy-feats"}
    monkeypatch.setenv("PATH", f"/nowhere:{kaldi}")
    assert set(wanted_links(PROGRAMS, installed)) == {"nnet3-compute"}
    assert set(wanted_links(PROGRAMS, installed, all_names=True)) == {"nnet3-compute", "copy-feats"}


def test_links_of_one_caller_are_not_those_of_another(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    both = make_links(tmp_path, wanted_links(PROGRAMS, installed))
    one = make_links(tmp_path, {"nnet3-compute": installed / program("nnet3-compute").name})
    assert one != both
    assert {p.name for p in one.iterdir()} == {"nnet3-compute"}
    assert {p.name for p in both.iterdir()} == {"nnet3-compute", "copy-feats"}
    assert os.readlink(both / "copy-feats") == str(installed / "nnet-pytorch-copy-feats")
    # Who has them on the PATH already is another caller of the same programs, not one who has Kaldi.
    monkeypatch.setenv("PATH", str(both))
    assert make_links(tmp_path, wanted_links(PROGRAMS, installed)) == both
    (both / "copy-feats").unlink()
    assert make_links(tmp_path, wanted_links(PROGRAMS, installed)) == both
    assert (both / "copy-feats").exists()


def test_sourced_after_path_sh_the_links_are_in_front(tmp_path: Path) -> None:
    links = tmp_path / "it's here"
    links.mkdir()
    script = f'PATH=/kaldi:$PATH; . "{shell_file(links)}"; . "{shell_file(links)}"; echo "$PATH"'
    found = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": "/bin"})
    assert found.stdout == f"{links}:/kaldi:/bin\n"


def test_recipes_are_found_where_they_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the checkout, and below share/ of an installation, which setup.py fills."""
    assert recipes_folder() == ROOT
    monkeypatch.setattr(recipes, "__file__", str(tmp_path / "site-packages/nnet3_compat/machine/recipes.py"))
    monkeypatch.setattr("sysconfig.get_path", lambda name, scheme: str(tmp_path / ("user" if "user" in scheme else "")))
    with pytest.raises(KaldiError, match="share/nnet-pytorch"):
        recipes_folder()
    for folder, names in recipes.installed_files(ROOT):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(ROOT / name, tmp_path / folder)
    found = recipes_folder()
    assert found == tmp_path / "share/nnet-pytorch"
    for script in ROOT.glob("steps_pytorch/**/*.sh"):
        assert (found / script.relative_to(ROOT)).is_file()
    (tmp_path / "user").mkdir()
    (tmp_path / "share").rename(tmp_path / "user/share")
    assert recipes_folder() == tmp_path / "user/share/nnet-pytorch"
    found = recipes_folder()
    there = subprocess.run([found / "utils/data/get_utt2dur.sh", "--help"], capture_output=True, text=True)
    assert there.returncode == 0 and "get_utt2dur.sh" in there.stderr
