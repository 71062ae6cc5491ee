#!/bin/sh
# Probes a Go program that checks itself, at entry and return of every call, while its
# stacks grow and its garbage is collected: scripts/go-calls.sh [CALLS]. It fails if
# the program crashed, computed anything wrong, or a call was missed. 100,000,000
# calls take about half an hour on two CPUs.
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
