# shellcheck shell=bash
# Sourced by every step once its variables have their defaults and help_message is set: reads the options, and gives
#
#   steps, utils                      the directories of the steps and of utils/
#   fail <message>, usage             end the step
#   needs <file> ...                  ends it where one is not there
#   outside <folder> <path> ...       ends it where one lies in a folder that the step makes anew
#   in_config_file <file>             ends it where a name cannot stand in a file of options
#   use_programs                      our programs under Kaldi's names
#   at_most <data-dir> <utterances|speakers>       lowers nj, and says so
#   run_jobs [JOB=1:<n>] <log> <word> ...          runs a command through --cmd
#   score <data-dir> <graph-dir> <decode-dir>      local/score.sh, or ours
#   check_input [--ivector-dir=<dir>|--online-config=<file>] <model-dir> <data-dir>
#                                     ends it where the model was trained on other features
#   prefixed <text>                   puts it in front of each line of the input
#
# What a step is given or reads, names of files above all, may hold anything that a shell knows. Each word of run_jobs
# stays one word as it is; "|", ">" and the like are operators where they are words of their own. There are also
#
#   quoted <word>                     for the shell that runs the command of "ark:command |"
#   ark_scp <name>                    the wspecifier of <name>.ark and <name>.scp
#
# and what stands in files goes into commands only as one of these, or the step ends:
#
#   number_in <file>                  a whole number
#   phones_in <file>                  phones, 1:2:3
#   options_in <file>                 options, --name=value ...; nothing where there is no such file
#   checked_options <where> <text>    the same, of a text

shopt -s inherit_errexit # a failure in $(...) is one
steps=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
utils=$(cd "$steps/../utils" && pwd)
echo "$0 ${command_line:-$*}" # command_line: where a step has taken other options before
if [ -f ./path.sh ]; then . ./path.sh; fi
. "$utils/parse_options.sh"

fail() {
  echo "$0: $1" >&2
  exit 1
}

usage() {
  printf '%s\n' "$help_message" >&2
  exit 1
}

needs() {
  local file
  for file in "$@"; do
    [ -f "$file" ] || fail "no such file $file"
  done
}

_place() { # without links, of what is there
  if [ -d "$1" ]; then (cd "$1" && pwd -P); else echo "$(cd "$(dirname "$1")" && pwd -P)/${1##*/}"; fi
}

outside() {
  [ -d "$1" ] || return 0
  local folder path
  folder=$(_place "$1")
  for path in "${@:2}"; do
    if [ -e "$path" ] && [[ "$(_place "$path")/" == "$folder"/* ]]; then fail "$path lies in $1, which is made anew"; fi
  done
}

in_config_file() {
  [[ $1 != *'#'* ]] || fail "$1: a name with # cannot stand in a file of options, where it begins a comment"
}

use_programs() {
  command -v nnet-pytorch-path >/dev/null || fail "nnet-pytorch is not installed: no nnet-pytorch-path on the PATH"
  PATH="$(nnet-pytorch-path --print-args=false):$PATH"
}

at_most() {
  local count
  needs "$1/utt2spk"
  case $2 in
    utterances) count=$(wc -l < "$1/utt2spk") ;;
    speakers) count=$(awk '{ print $2 }' "$1/utt2spk" | LC_ALL=C sort -u | wc -l) ;;
  esac
  [[ $nj =~ ^[1-9][0-9]*$ ]] || fail "--nj $nj: must be a positive number"
  [ "$count" -gt 0 ] || fail "$1/utt2spk is empty"
  if [ "$nj" -gt "$count" ]; then
    echo "$0: $1 has only $count $2: running $count jobs, not $nj"
    nj=$count
  fi
}

run_jobs() {
  local runner=("$utils/run.py") words=() word escaped
  if [ -n "$cmd" ]; then read -ra runner <<< "$cmd"; fi
  if [[ ${runner[0]##*/} =~ ^(run|slurm|queue)\.py$ ]]; then
    "${runner[@]}" "$@"
    return
  fi
  # Kaldi's run.pl, queue.pl and their like leave words without white space to bash, and put others into double quotes.
  for word in "$@"; do
    case $word in
      '|' | '>' | '2>&1') ;;
      *)
        printf -v escaped %q "$word"
        case $escaped in
          "\$'"*) escaped=${escaped// /\\040} ;;
          *) escaped=${escaped//\\ /"\$'\\040'"} ;;
        esac
        [[ $word != *.log || $word == "$escaped" ]] || fail "${runner[0]} cannot write a log of the name $word"
        word=$escaped ;;
    esac
    words+=("$word")
  done
  "${runner[@]}" "${words[@]}"
}

score() {
  local script=$steps/score.sh jobs=$cmd
  if [ -x local/score.sh ]; then script=local/score.sh jobs=${cmd:-$utils/run.py}; fi
  # shellcheck disable=SC2086
  "$script" $scoring_opts --cmd "$jobs" "$@"
}

check_input() {
  nnet-pytorch-model-input check --print-args=false "$@" || fail "${*: -2:1} cannot be used with ${*: -1}"
}

prefixed() {
  local line
  while IFS= read -r line; do printf '%s%s\n' "$1" "$line"; done
}

quoted() {
  if [[ $1 =~ ^[A-Za-z0-9_./:@%+,=-]+$ ]]; then printf %s "$1"; else printf "'%s'" "${1//\'/\'\\\'\'}"; fi
}

ark_scp() {
  [[ $1 != *,* ]] || fail "$1: no archive can be written where a name has a comma"
  printf 'ark,scp:%s.ark,%s.scp' "$1" "$1"
}

number_in() {
  needs "$1"
  local text
  text=$(< "$1")
  [[ $text =~ ^[0-9]+$ ]] || fail "$1: expected a whole number, not ${text@Q}"
  printf %s "$text"
}

phones_in() {
  needs "$1"
  local text
  text=$(< "$1")
  [[ $text =~ ^([0-9]+(:[0-9]+)*)?$ ]] || fail "$1: expected phones, 1:2:3 say, not ${text@Q}"
  printf %s "$text"
}

options_in() {
  if [ -f "$1" ]; then checked_options "$1" "$(< "$1")"; fi
}

checked_options() {
  local words word
  read -r -d '' -a words <<< "$2" || true
  for word in "${words[@]}"; do
    [[ $word =~ ^--[A-Za-z][A-Za-z0-9._-]*(=[A-Za-z0-9_.,:/+-]*)?$ ]] ||
      fail "$1: expected options, --name=value, not ${word@Q}"
  done
  printf %s "${words[*]}"
}
