#!/bin/sh
# Records this machine for a few seconds and shows what comes of it. Without the
# rights to record it starts from a capture that comes with the sources.
set -eu
cd "$(dirname "$0")/.."

out=bin/demo
mkdir -p "$out"
capture=$out/trapline.data
if [ "$(id -u)" = 0 ] && bin/record -q --duration 100ms -a -e sched:sched_switch -o "$capture" 2>"$out/why-not"; then
	echo "Recording task switches and malloc of the whole machine for 3 seconds:"
	# Something to look at, on machines that idle.
	(trap 'exit 0' TERM; while :; do ls -R /usr/include /usr/share/doc >/dev/null 2>&1; sleep 0.05; done) &
	load=$!
	bin/record -a -e sched:sched_switch -e 'uprobe:libc:malloc size=arg0:u64' --duration 3s -o "$capture"
	kill "$load"
else
	echo "Recording needs root (sudo make demo): this is the capture testdata/demo.data instead."
	[ ! -s "$out/why-not" ] || cat "$out/why-not"
	capture=testdata/demo.data
fi
rm -f "$out/why-not"

report() {
	echo
	echo "\$ report -i $capture $*"
	bin/report -i "$capture" "$@" 2>&1 | sed -n '1,40p'
}
report --no-children -s comm,symbol -n -g none
report -s malloc.size -g none --percent-limit 1 --probe '*malloc'
bin/convert -i "$capture" -o "$out/profile.pb.gz"
bin/convert -i "$capture" -o "$out/flame.svg"
echo
echo "The capture:     $capture"
echo "A pprof profile: $out/profile.pb.gz   (go tool pprof -http=: $out/profile.pb.gz)"
echo "A flame graph:   $out/flame.svg        (open it in a browser)"
