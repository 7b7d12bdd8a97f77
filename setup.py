"""Builds what is C++ or C, names the programs, carries the scripts of recipes; everything else is in setup.cfg.

Where C++ does not compile, the extensions are left out with a warning (pip shows it with -v), and their users say so
when they run. With NNET_PYTORCH_EXTENSION=required in the environment the installation fails instead: make sets it.
"""

import os
import sys
from glob import glob
from pathlib import Path

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension, build_ext
from setuptools import Extension, setup

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # setuptools runs this without
from nnet3_compat.machine.programs import find_programs  # noqa: E402
from nnet3_compat.machine.recipes import installed_files  # noqa: E402


def extension(package: str, *flags: str, shared: tuple[str, ...] = ()) -> Pybind11Extension:
    """package._csrc of all sources in the package's csrc/ and those shared with another package."""
    folder = package.replace(".", "/") + "/csrc"
    made = Pybind11Extension(
        f"{package}._csrc",
        sorted([*glob(f"{folder}/*.cc"), *shared]),
        depends=sorted(glob(f"{folder}/*.h")),
        cxx_std=17,
        extra_compile_args=["-O3", "-g0", "-pthread", "-Wno-psabi", *flags],
        extra_link_args=["-pthread"],
    )
    made.optional = os.environ.get("NNET_PYTORCH_EXTENSION") != "required"
    return made


def launcher() -> list[Extension]:
    """nnet3_compat/machine/launcher, a program, for fork servers, which only Linux has."""
    made = Extension("nnet3_compat.machine.launcher", ["nnet3_compat/machine/csrc/launcher.c"])
    made.optional = os.environ.get("NNET_PYTORCH_EXTENSION") != "required"
    return [made] if sys.platform == "linux" else []


class BuildExtensions(build_ext):
    def get_ext_filename(self, fullname: str) -> str:
        return fullname.replace(".", "/") if _is_launcher(fullname) else super().get_ext_filename(fullname)

    def build_extension(self, ext: Extension) -> None:
        """A failure takes what an earlier build left in the source tree with it: that is not of these sources."""
        try:
            if _is_launcher(ext.name):
                self._build_program(ext)
            else:
                super().build_extension(ext)
        except Exception:
            path = ext.name.replace(".", "/")
            for earlier in (*ROOT.glob(path), *ROOT.glob(f"{path}.*.so")):
                earlier.unlink()
            raise

    def _build_program(self, ext: Extension) -> None:
        path = Path(self.get_ext_fullpath(ext.name))
        objects = self.compiler.compile(ext.sources, output_dir=self.build_temp, extra_postargs=["-O2"])
        self.compiler.link_executable(objects, path.name, output_dir=str(path.parent))


def _is_launcher(name: str) -> bool:
    return name.rpartition(".")[2] == "launcher"


ParallelCompile(default=0).install()  # a file on each core

setup(
    # The chain's code has a version for each kind of processor, which all round alike.
    ext_modules=[
        extension("kaldi_bridge"),
        extension("nnet3_compat.chain", "-ffp-contract=off"),
        extension("nnet3_compat.folded"),
        extension("nnet3_compat.modules", "-fno-trapping-math", shared=("nnet3_compat/folded/csrc/instructions.cc",)),
        *launcher(),
    ],
    entry_points={"console_scripts": [program.entry_point for program in find_programs(ROOT)]},
    data_files=installed_files(ROOT),
    cmdclass={"build_ext": BuildExtensions},
)
