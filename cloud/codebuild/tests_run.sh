#!/bin/sh
# Runs a test command on this build's share of the test files.
set -u

fail() {
	echo "codebuild-tests-run: $*" >&2
	exit 2
}

command= search= strategy=equal-distribution
while [ $# -gt 0 ]; do
	case $1 in
	--*=*) name=${1%%=*} value=${1#*=} ;;
	--*) [ $# -ge 2 ] || fail "$1 has no value"; name=$1 value=$2; shift ;;
	*) fail "unknown argument $1" ;;
	esac
	shift
	case $name in
	--test-command) command=$value ;;
	--files-search) search=$value ;;
	--sharding-strategy) strategy=$value ;;
	*) fail "unknown option $name, expecting --test-command, --files-search or --sharding-strategy" ;;
	esac
done
[ -n "$command" ] || fail "--test-command is required"
[ -n "$search" ] || fail "--files-search is required"
case $strategy in
equal-distribution | stability) ;;
*) fail "unknown sharding strategy $strategy, expecting equal-distribution or stability" ;;
esac

files=$(sh -c "$search") || fail "the files search failed: $search"
# Equal distribution gives each shard a run of the sorted names. Stability lets
# the shard have a name whose hash with the name is the greatest, which does
# not depend on the other names, and little on the number of shards.
files=$(printf '%s\n' "$files" | LC_ALL=C sort -u | LC_ALL=C awk -v strategy="$strategy" \
	-v shard="${CODEBUILD_FANOUT_SHARD:-0}" -v shards="${CODEBUILD_FANOUT_SHARDS:-1}" '
	BEGIN { for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i }
	function owner(name,    h, i, s, weight, best, who) {
		h = 5381
		for (i = 1; i <= length(name); i++) h = (h * 33 + code[substr(name, i, 1)]) % 4294967296
		best = -1
		for (s = 0; s < shards; s++) {
			weight = (h * 40503 + s * 2654435761) % 4294967296
			if (weight > best) { best = weight; who = s }
		}
		return who
	}
	NF { names[n++] = $0 }
	END {
		each = int(n / shards); more = n % shards
		first = shard * each + (shard < more ? shard : more)
		last = first + each + (shard < more ? 1 : 0)
		for (i = 0; i < n; i++)
			if (strategy == "stability" ? owner(names[i]) == shard : i >= first && i < last) print names[i]
	}')
if [ -z "$files" ]; then
	echo "codebuild-tests-run: this build has no test files"
	exit 0
fi
CODEBUILD_CURRENT_SHARD_FILES=$files
export CODEBUILD_CURRENT_SHARD_FILES
case $command in
*CODEBUILD_CURRENT_SHARD_FILES*) exec sh -c "$command" ;;
esac
IFS='
'
set -f
exec sh -c "$command \"\$@\"" codebuild-tests-run $files
