#!/usr/bin/env bash
# Downloads files into a folder, going on where it was stopped; archives are unpacked there, and not fetched again.
set -euo pipefail
[ $# -ge 2 ] || { echo "Usage: $0 <folder> <url> ...
e.g.: $0 corpus https://www.openslr.org/resources/31/dev-clean-2.tar.gz" >&2; exit 1; }
folder=$1
shift
mkdir -p "$folder"
for url in "$@"; do
  file=${url##*/}
  complete=$folder/.$file.complete
  [ ! -f "$complete" ] || continue
  echo "$0: $url"
  curl --fail --location --silent --show-error --continue-at - --output "$folder/$file" "$url"
  case $file in
    *.tar.gz | *.tgz) unpack=(tar -xzf "$folder/$file" -C "$folder") ;;
    *.gz) unpack=(gunzip -t "$folder/$file") ;;
    *) unpack=(true) ;;
  esac
  "${unpack[@]}" || { rm "$folder/$file"; echo "$0: $url came broken: run it again" >&2; exit 1; }
  if [ "${unpack[0]}" = tar ]; then rm "$folder/$file"; fi
  touch "$complete"
done
