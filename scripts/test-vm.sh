#!/bin/sh
# Runs the tests that depend on the kernel in a virtual machine for each kernel.
# The machines get the programs of bin/ and the test targets of the host. If a compiler
# is missing, the tests that need it are left out.
set -eu
cd "$(dirname "$0")/.."

scripts/vm-kernels.sh $VM_KERNELS
CGO_ENABLED=0 "$GO" build -trimpath -buildvcs=false -o .cache/vm/vmexec ./internal/vmtest/vmexec
export TRAPLINE_TARGETS="$PWD/.cache/targets" TRAPLINE_BIN="$PWD/bin"
TRAPLINE_LACKS=
for compiler in gcc clang-19; do
	command -v $compiler >/dev/null || TRAPLINE_LACKS="$TRAPLINE_LACKS $compiler"
done
export TRAPLINE_LACKS
make -s -C testdata/targets OUT="$TRAPLINE_TARGETS" all
export VM_TREES="$TRAPLINE_TARGETS:$TRAPLINE_BIN"
export VM_TIMEOUT="${VM_TIMEOUT:-20m}" # for the tests of one package, on a busy machine

# The libraries of dynamically linked targets.
libraries=
case $TRAPLINE_LACKS in *gcc*) ;; *) libraries=$(ldd "$TRAPLINE_TARGETS/counter" | grep -o '/[^ ]*') ;; esac
test_on() { # meta package
	dir=$PWD/.cache/vm/$1
	echo "-- $1: $(sed -n 's/^# Linux[^ ]* \([0-9.]*\) Kernel Configuration/Linux \1/p' "$dir/config")"
	VM_KERNEL=$dir/vmlinuz VM_FILES=$(printf '%s:' $libraries)$dir/dummy.ko=/vm/dummy.ko \
		CGO_ENABLED=0 "$GO" test -count=1 -timeout 30m -p 1 -exec "$PWD/.cache/vm/vmexec" $VM_PKGS
}

# Each machine uses one CPU, so all kernels run at the same time. Their output is
# printed in order.
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
jobs=
for meta in $VM_KERNELS; do
	test_on "$meta" >"$logs/$meta" 2>&1 &
	jobs="$jobs $!:$meta"
done
status=0
for job in $jobs; do
	wait "${job%%:*}" || status=1
	cat "$logs/${job#*:}"
done
exit $status
