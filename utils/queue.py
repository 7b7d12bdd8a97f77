#!/usr/bin/env python3
"""Runs jobs on a grid engine (SGE and its successors), with the command line of Kaldi's queue.pl.

    queue.py [options] [JOB=1:4] log/name.JOB.log command arg ...

JOB in the log's name and the command is replaced by each number, words are taken as by run.py. Waits for the jobs;
exits with 1, naming the logs, if any failed. A signal cancels them.
  --config FILE       what the other options are for qsub (default: conf/queue.conf, if there is one)
  --mem 2G, --num-threads N, --gpu N, --max-jobs-run N    and whatever else that file names
  --pick WHICH        all; failed: those that have not ended well before, by their logs; incomplete: that have not ended
  -x VALUE            goes to qsub as it is (-pe smp 4, -V)
"""

from __future__ import annotations

import sys

from cluster import Queue, main

DEFAULT_CONFIG = """
command qsub -v PATH -cwd -S /bin/bash -j y -l arch=*64*
option mem=* -l mem_free=$0,ram_free=$0
option mem=0
option num_threads=* -pe smp $0
option num_threads=1
option max_jobs_run=* -tc $0
default gpu=0
option gpu=0
option gpu=* -l gpu=$0 -q *.q
"""

GRID_ENGINE = Queue(
    program="queue.py",
    usage=__doc__,
    config="conf/queue.conf",
    default_config=DEFAULT_CONFIG,
    array="-t {first}:{last}",
    at_once="",
    task="SGE_TASK_ID",
    log_options="-o {log}",
    submitted=r"Your job\S* (\d+)[. ].+ has been submitted",
    ask=["qstat", "-j"],
    gone="do not exist",
    cancel=["qdel"],
    killed="exit 100",  # which keeps the task in the queue in state E, for the one who looks after it to run again
)

if __name__ == "__main__":
    sys.exit(main(GRID_ENGINE, sys.argv[1:]))
