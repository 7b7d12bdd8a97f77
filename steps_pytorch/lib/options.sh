# shellcheck shell=bash
# Sourced, before step.sh, by a step that hands options on: those that the array own_options names stay, as --name=value, and
# all others go to the array others.

command_line=$*
own=() others=()
while [ $# -gt 0 ] && [[ $1 == -* ]]; do
  word=$1
  shift
  if [[ $word == --help || $word == -h ]]; then
    printf '%s\n' "$help_message" >&2
    exit 0
  fi
  if [[ $word != *=* ]]; then
    [ $# -ge 1 ] || { echo "$0: option $word needs a value" >&2; exit 1; }
    word+="=$1"
    shift
  fi
  name=${word%%=*}
  name=${name//_/-}
  if [[ $name == --config ]]; then
    own+=(--config "${word#*=}")
  elif [[ " ${own_options[*]} " == *" ${name#--} "* ]]; then
    own+=("$word")
  else
    others+=("$word")
  fi
done
set -- "${own[@]}" "$@"
