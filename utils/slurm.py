#!/usr/bin/env python3
"""Runs jobs on a Slurm cluster, with the command line of Kaldi's slurm.pl.

    slurm.py [options] [JOB=1:4] log/name.JOB.log command arg ...

JOB in the log's name and the command is replaced by each number, words are taken as by run.py. Waits for the jobs;
exits with 1, naming the logs, if any failed. A signal cancels them.
  --config FILE       what the other options are for sbatch (default: conf/slurm.conf, if there is one)
  --mem 2G, --num-threads N, --gpu N, --time T    and whatever else that file names
  --max-jobs-run N    so many jobs at once
  --pick WHICH        all; failed: those that have not ended well before, by their logs; incomplete: that have not ended
  -x VALUE            goes to sbatch as it is
"""

from __future__ import annotations

import sys

from cluster import Queue, main

# Partitions have other names everywhere: unlike slurm.pl's, these options name none.
DEFAULT_CONFIG = """
command sbatch --export=PATH --ntasks-per-node=1
option time=* --time $0
option mem=* --mem-per-cpu $0
option mem=0
option num_threads=* --cpus-per-task $0
default gpu=0
option gpu=0
option gpu=* --gres=gpu:$0
"""

SLURM = Queue(
    program="slurm.py",
    usage=__doc__,
    config="conf/slurm.conf",
    default_config=DEFAULT_CONFIG,
    array="--array={first}-{last}",
    at_once="%{}",
    task="SLURM_ARRAY_TASK_ID",
    log_options="--open-mode=append -e {log} -o {log}",
    submitted=r"Submitted batch job (\d+)",
    ask=["squeue", "--noheader", "--jobs"],
    gone="Invalid job id",
    cancel=["scancel"],
)

if __name__ == "__main__":
    sys.exit(main(SLURM, sys.argv[1:]))
