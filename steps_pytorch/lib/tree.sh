#!/usr/bin/env bash
# From tree statistics to a tree and a first model: what the steps that train GMMs and build_tree.sh share.
set -euo pipefail

# Begin configuration section.
cmd=
context_opts=
cluster_thresh=-1
cluster_phones_opts=
compile_questions_opts=
# End configuration section.

help_message="Usage: $0 [options] <num-leaves> <lang-dir> <dir>
Reads <dir>/treeacc; writes questions.int, questions.qst, tree, 1.mdl and 1.occs there.
  --cmd <cmd>, --context-opts <opts>, --cluster-thresh <x>, --cluster-phones-opts <opts>,
  --compile-questions-opts <opts>"

. "$(dirname "${BASH_SOURCE[0]}")/step.sh"

[ $# -eq 3 ] || usage
leaves=$1 lang=$2 dir=$3

# shellcheck disable=SC2086
run_jobs "$dir/log/questions.log" \
  cluster-phones $cluster_phones_opts $context_opts "$dir/treeacc" "$lang/phones/sets.int" "$dir/questions.int"
cat "$lang/phones/extra_questions.int" >> "$dir/questions.int"
# shellcheck disable=SC2086
run_jobs "$dir/log/compile_questions.log" \
  compile-questions $context_opts $compile_questions_opts "$lang/topo" "$dir/questions.int" "$dir/questions.qst"
# shellcheck disable=SC2086
run_jobs "$dir/log/build_tree.log" \
  build-tree $context_opts --verbose=1 --max-leaves="$leaves" --cluster-thresh="$cluster_thresh" \
  "$dir/treeacc" "$lang/phones/roots.int" "$dir/questions.qst" "$lang/topo" "$dir/tree"
run_jobs "$dir/log/init_model.log" \
  gmm-init-model --write-occs="$dir/1.occs" "$dir/tree" "$dir/treeacc" "$lang/topo" "$dir/1.mdl"
if grep -a 'no stats' "$dir/log/init_model.log" >&2; then
  echo "$0: pdfs without statistics: phones that do not occur in the data and share no tree root with others" >&2
fi
