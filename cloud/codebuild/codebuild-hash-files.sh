#!/usr/bin/env bash
# Says the SHA-256 of the files below the source directory that the patterns
# mean.
set -euo pipefail
shopt -s globstar nullglob dotglob
cd "${CODEBUILD_SRC_DIR:-.}"
hash() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
IFS=
for pattern in "$@"; do
  for file in $pattern; do
    if [[ -f $file ]]; then printf '%s\0' "$file"; fi
  done
done | LC_ALL=C sort -zu | while read -r -d '' file; do hash <"$file"; done | hash | cut -d' ' -f1
