#!/bin/sh
# Prints the files below this directory that match one of the patterns.
if [ $# -eq 0 ]; then
	echo "usage: codebuild-glob-search PATTERN..." >&2
	exit 2
fi
patterns=$(printf '%s\n' "$@")
find . -name '.?*' -prune -o -type f -print | LC_ALL=C sort | patterns="$patterns" LC_ALL=C awk '
	# regex is the pattern as a regular expression: ** crosses directories, *
	# and ? do not, {a,b} is a choice.
	function regex(p,    out, i, c, depth) {
		sub(/^\.\//, "", p)
		for (i = 1; i <= length(p); i++) {
			c = substr(p, i, 1)
			if (substr(p, i, 3) == "**/") { out = out "(.*/)?"; i += 2 }
			else if (substr(p, i, 2) == "**") { out = out ".*"; i++ }
			else if (c == "*") out = out "[^/]*"
			else if (c == "?") out = out "[^/]"
			else if (c == "{") { out = out "("; depth++ }
			else if (c == "}" && depth) { out = out ")"; depth-- }
			else if (c == "," && depth) out = out "|"
			else if (c ~ /[A-Za-z0-9_\/-]/) out = out c
			else if (c == "^" || c == "\\") out = out "\\" c
			else out = out "[" c "]"
		}
		return "^" out "$"
	}
	BEGIN { n = split(ENVIRON["patterns"], list, "\n"); for (i = 1; i <= n; i++) list[i] = regex(list[i]) }
	{ name = substr($0, 3); for (i = 1; i <= n; i++) if (name ~ list[i]) { print name; next } }'
