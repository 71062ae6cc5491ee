#!/bin/sh
# Measures what hits at kernel functions cost, next to perf and bpftrace, in a virtual
# machine: for machines whose own kernel has no kprobes. The virtual machine is emulated, so
# its figures can only be compared with each other. With -write they go into internal/cost,
# README.md and docs/benchmarks.md. Needs perf, bpftrace and the kernels that
# scripts/vm-kernels.sh fetches.
set -eu
cd "$(dirname "$0")/.."

meta=linux-image-6.12-cloud-amd64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s build
make -s -C testdata/targets OUT="$PWD/.cache/targets" counter usdt
CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$work/" ./bench ./internal/vmtest/vmexec

files=
add() { # file, path in the machine
	files="$files:$1=${2:-$1}"
}
for program in perf bpftrace; do
	add "$(readlink -f "$(command -v $program)")" "/usr/bin/$program"
	for library in $(ldd "$(command -v $program)" | grep -o '/[^ ]*'); do add "$library"; done
done
add "$(readlink -f /bin/sh)" /bin/sh
add "$work/bench" /usr/bin/bench
cat >"$work/guest.sh" <<'END'
export PATH=/usr/bin
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
exec bench -only kinds -kinds tracepoint,kprobe,kretprobe,fentry,fexit -runs 3 -calls 20000 -json
END
add "$work/guest.sh" /guest.sh
for library in "$PWD"/bin/record "$PWD"/bin/report; do add "$library"; done
for target in counter usdt; do add "$PWD/.cache/targets/$target"; done
VM_KERNEL=$PWD/.cache/vm/$meta/vmlinuz VM_FILES=$files VM_TIMEOUT=60m VM_MEM=4096 "$work/vmexec" /bin/sh /guest.sh | tee "$work/output"
[ "${1-}" != -write ] || "$work/bench" -write emulated -from "$work/output"
