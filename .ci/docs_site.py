"""mkdocs hooks: pages that lie outside of docs/, a page of reference for each folder of a package, complete docs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("nnet3_compat", "steps_pytorch", "kaldi_bridge")
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md") + tuple(
    str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("egs/fsdd/RESULTS*.md"))
)
log = logging.getLogger("mkdocs.hooks.docs_site")


def folders() -> Iterator[tuple[str, list[str]]]:
    """Each package with modules, and these; commands have --help."""
    for package in PACKAGES:
        for init in sorted((ROOT / package).rglob("__init__.py")):
            folder = init.parent
            name = ".".join(folder.relative_to(ROOT).parts)
            if ".commands" not in name:
                yield name, [f"{name}.{path.stem}" for path in sorted(folder.glob("[!_]*.py"))]


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are made."""
    for name in BESIDE:
        files.append(File.generated(config, f"repository/{name}", content=(ROOT / name).read_text()))
    contents = ["# Reference", "", "Of the docstrings, folder by folder; what is where, and why:"]
    contents += ["[CONTRIBUTING.md](../repository/CONTRIBUTING.md).", ""]
    for package, modules in folders():
        lines = [f"# {package}", "", f"::: {package}", "    options: {heading_level: 2, members: false}", ""]
        for module in modules:
            lines += [f"::: {module}", ""]
        files.append(File.generated(config, f"reference/{package}.md", content="\n".join(lines)))
        contents.append(f"- [{package}]({package}.md)")
    files.append(File.generated(config, "reference/index.md", content="\n".join(contents)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links out of docs/ and into it lead to where the pages are in the site."""
    if page.file.src_uri.startswith("repository/"):
        return re.sub(r"\]\(((?:\.\./)*)docs/", r"](\1../", markdown)
    if page.file.src_uri.startswith("reference/"):
        return markdown
    return markdown.replace("](../", "](repository/")
