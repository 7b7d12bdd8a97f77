"""A directory of links that puts our programs under Kaldi's names, for the front of a PATH."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import entry_points
from pathlib import Path

from kaldi_bridge.errors import KaldiError

PREFIX = "nnet-pytorch-"
NNET3 = {
    "compute", "compute-batch", "compute-prob", "chain-compute-prob", "copy", "info", "init", "average",
    "show-progress", "am-init", "am-copy", "am-info", "am-adjust-priors", "am-train-transitions",
    "latgen-faster", "latgen-faster-parallel", "latgen-faster-batch", "train",
    "combine", "chain-combine", "chain-train",
    "chain-copy-egs", "chain-shuffle-egs", "chain-subset-egs", "chain-merge-egs",
    "get-egs", "copy-egs", "acc-lda-stats", "chain-acc-lda-stats", "compute-from-egs", "chain-compute-post",
    "chain-normalize-egs", "chain-get-egs", "get-egs-dense-targets", "merge-egs", "shuffle-egs", "subset-egs",
}  # fmt: skip
OTHER_NAMES = {
    "transitions-info": "am-info",  # am-info is the twin of nnet3-am-info
    "online2-wav-latgen-faster": "online2-wav-nnet3-latgen-faster",
}
OURS_ALONE = {
    "export", "path", "train-chain", "xconfig-to-config",
    "prepare-lang", "prepare-chain-lang", "validate-dict-dir", "validate-lang", "train-lm", "format-lm", "make-graph",
    "data-dir", "model-input", "perturb-audio",
    "store-frames", "store-pdfs", "finish-store", "count-phones", "text-to-phones", "train-model", "average-models",
}  # fmt: skip
FOLDER = "nnet-pytorch-links"


def kaldi_name(program: str) -> str | None:
    """What Kaldi calls the twin of ``nnet-pytorch-...``; None for programs that it does not have."""
    name = program.removeprefix(PREFIX)
    if name == program or name in OURS_ALONE:
        return None
    return f"nnet3-{name}" if name in NNET3 else OTHER_NAMES.get(name, name)


def wanted_links(programs: list[str], bin_folder: Path, links: Path) -> dict[str, Path]:
    """Kaldi's names and the programs they stand for.

    Names that are not nnet3-* are left to Kaldi's own programs where those are on the PATH.
    """
    path = os.pathsep.join(p for p in os.get_exec_path() if Path(p).resolve() != links.resolve())
    wanted = {}
    for program in programs:
        name = kaldi_name(program)
        if name is None or not (bin_folder / program).exists():
            continue
        if name.startswith("nnet3-") or shutil.which(name, path=path) is None:
            wanted[name] = bin_folder / program
    return wanted


def make_links(links: Path, wanted: dict[str, Path]) -> None:
    """Brings the directory to hold just these links; each change is atomic, so that many can do it at once."""
    links.mkdir(parents=True, exist_ok=True)
    for name, target in wanted.items():
        place = links / name
        if place.is_symlink() and os.readlink(place) == str(target):
            continue
        temporary = links / f".{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(place)
    for place in links.iterdir():
        if place.is_symlink() and place.name not in wanted and not place.name.startswith("."):
            place.unlink(missing_ok=True)


def link_folder() -> Path:
    """Makes the directory, beside the installed programs or else in the user's cache, and tells where it is.

    Raises KaldiError when neither place can be written, or the programs are not installed.
    """
    bin_folder = Path(sys.executable).parent
    programs = sorted({e.name for e in entry_points(group="console_scripts") if e.name.startswith(PREFIX)})
    invoked = Path(sys.argv[0])
    if invoked.name.startswith(PREFIX) and (invoked.parent / f"{PREFIX}compute").exists():
        bin_folder = invoked.parent.resolve()
    if not any((bin_folder / program).exists() for program in programs):
        raise KaldiError(f"the nnet-pytorch-* programs are not in {bin_folder}: install the package with pip")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    reasons = []
    for parent in (bin_folder.parent / "libexec", cache):
        links = parent / FOLDER
        try:
            make_links(links, wanted_links(programs, bin_folder, links))
            return links
        except OSError as error:
            reasons.append(f"{links}: {error.strerror}")
    raise KaldiError(f"cannot make a directory of links: {'; '.join(reasons)}")
