#!/bin/sh
# Usage: scripts/go-calls.sh [CALLS]
#
# Probes every call and return of a Go program that checks its own results, while its
# stacks grow and the garbage collector runs. Fails if the program crashes or computes a
# wrong result, or if a call is missed. 100,000,000 calls take about half an hour on two
# CPUs.
set -eu
cd "$(dirname "$0")/.."
calls=${1:-100000000}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
make -s -C testdata/targets OUT="$dir" goarguments
bin/record -q -o "$dir/capture" --no-stacks -c 1000 \
	-e "uprobe:$dir/goarguments:main.handle" -e "uretprobe:$dir/goarguments:main.handle" -- "$dir/goarguments" "$calls"
counted=$(bin/report -i "$dir/capture" --json | sed -n '/"account": *{/,/}/s/.*: *\([0-9][0-9]*\),*$/\1/p' | awk '{ n += $1 } END { printf "%d", n }')
echo "$counted hits of $calls calls"
[ "$counted" -eq $((2 * calls)) ]
