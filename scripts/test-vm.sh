#!/bin/sh
# Runs the tests that depend on the kernel in a virtual machine for each kernel.
# The machines get the programs of bin/ and the test targets as they are here.
set -eu
cd "$(dirname "$0")/.."

scripts/vm-kernels.sh $VM_KERNELS
CGO_ENABLED=0 "$GO" build -trimpath -buildvcs=false -o .cache/vm/vmexec ./internal/vmtest/vmexec
export TRAPLINE_TARGETS="$PWD/.cache/targets" TRAPLINE_BIN="$PWD/bin"
make -s -C testdata/targets OUT="$TRAPLINE_TARGETS"
export VM_TREES="$TRAPLINE_TARGETS:$TRAPLINE_BIN"

# What a dynamically linked target needs.
libraries=$(ldd "$TRAPLINE_TARGETS/counter" | grep -o '/[^ ]*')
status=0
for meta in $VM_KERNELS; do
	dir=$PWD/.cache/vm/$meta
	echo "-- $meta: $(strings -n 20 "$dir/vmlinuz" | sed -n 's/^\([0-9.]*[^ ]*\) (.*/\1/p' | head -n 1)"
	VM_KERNEL=$dir/vmlinuz VM_FILES=$(printf '%s:' $libraries)$dir/dummy.ko=/vm/dummy.ko \
		CGO_ENABLED=0 "$GO" test -count=1 -p 2 -exec "$PWD/.cache/vm/vmexec" $VM_PKGS || status=1
done
exit $status
