#!/bin/sh
# Records this machine for a few seconds and shows the results. If recording is not
# possible, shows a capture that comes with the sources.
set -eu
cd "$(dirname "$0")/.."

out=bin/demo
mkdir -p "$out"
load=
trap '[ -z "$load" ] || kill "$load"; rm -f "$out/try.data" "$out/why-not"' EXIT

# CPU time, task switches, opened files, and memory requested from the C library.
set -- -a -F 199 -e cpu-clock -e sched:sched_switch -e syscalls:sys_enter_openat -e 'uprobe:libc:malloc size=arg0:u64'
if bin/record -q "$@" --duration 100ms -o "$out/try.data" 2>"$out/why-not"; then
	capture=$out/trapline.data
	echo "Recording the whole machine for 3 seconds:"
	# Some load for idle machines.
	(trap 'exit 0' TERM; while :; do ls -lR /usr/lib /usr/share >/dev/null 2>&1; sleep 0.05; done) &
	load=$!
	bin/record "$@" --duration 3s -o "$capture"
else
	capture=testdata/demo.data
	echo "The demo cannot record on this machine:"
	cat "$out/why-not"
	echo "It shows $capture instead, recorded elsewhere. With root: sudo make demo"
fi

report() {
	echo
	printf '$ report -i %s' "$capture"
	printf ' %s' "$@" | sed "s/[^ ]*\*[^ ]*/'&'/"
	printf '\n\n'
	bin/report -i "$capture" "$@" | sed -n '1,45p'
}
report --header-only
report -q --no-children -n -s comm,symbol -g none --percent-limit 1 --probe cpu-clock
report -q --no-children -s comm -g caller,5 --percent-limit 10 --probe syscalls:sys_enter_openat
report -q -s comm,malloc.size --percent-limit 3 --probe '*malloc'

bin/convert -q -i "$capture" -o "$out/profile.pb.gz"
bin/convert -q -i "$capture" -o "$out/flame.svg" --probe cpu-clock --min-width 0.5
echo
echo "The capture:     $capture"
echo "A pprof profile: $out/profile.pb.gz   (go tool pprof -http=: $out/profile.pb.gz)"
echo "A flame graph:   $out/flame.svg        (open it in a browser)"
