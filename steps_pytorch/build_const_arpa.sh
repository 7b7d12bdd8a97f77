#!/usr/bin/env bash
# Makes a lang directory with a large language model in ConstArpaLm form: arguments of Kaldi's utils/build_const_arpa_lm.sh.
set -euo pipefail

# Begin configuration section.
# End configuration section.

help_message="Usage: $0 <arpa-file> <lang-dir> <new-lang-dir>
e.g.: $0 data/local/lm/4-gram.arpa.gz data/lang data/lang_test_fglarge
The file may be gzipped; n-grams with words that the lang directory lacks are left out."

. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 3 ] || usage
arpa=$1 lang=$2 dir=$3
use_programs
needs "$arpa" "$lang/words.txt"
unknown=$(number_in "$lang/oov.int")

# number_of <word>: that of the lang directory
number_of() {
  local number
  number=$(awk -v word="$1" '$1 == word { print $2 }' "$lang/words.txt")
  [ -n "$number" ] || fail "$lang/words.txt has no $1"
  printf %s "$number"
}

begin=$(number_of "<s>") end=$(number_of "</s>")
mkdir -p "$dir"
if ! [ "$dir" -ef "$lang" ]; then
  cp -r "$lang/." "$dir"
  rm -f "$dir/G.fst"
fi
# Numbers in the place of words; fields are separated by any white space, as in Kaldi.
{ case $arpa in *.gz) gunzip -c "$arpa" ;; *) cat "$arpa" ;; esac; } |
  LC_ALL=C awk '
    NR == FNR { number[$1] = $2; next }
    /^\\[0-9]+-grams:/ { order = substr($1, 2) + 0; print; next }
    /^\\/ || NF == 0 || !order { print; next }
    {
      line = $1
      for (i = 2; i <= order + 1; i++) {
        if (!($i in number)) next
        line = line (i == 2 ? "\t" : " ") number[$i]
      }
      if (NF > order + 1) line = line "\t" $(order + 2)
      print line
    }' "$lang/words.txt" - |
  arpa-to-const-arpa --bos-symbol="$begin" --eos-symbol="$end" --unk-symbol="$unknown" - "$dir/G.carpa"
