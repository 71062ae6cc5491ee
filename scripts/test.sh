#!/bin/sh
# Runs every tier of tests that this machine allows, and names what it left out.
# With TRAPLINE_TEST_ROOT=1 leaving something out is a failure, except what the machine
# itself lacks.
set -u
cd "$(dirname "$0")/.."

# Tests append a line each: "vm" if virtual machines run the test, too, or "no"; what is
# missing; the test.
TRAPLINE_TEST_LEFT_OUT=$(mktemp)
export TRAPLINE_TEST_LEFT_OUT
trap 'rm -f "$TRAPLINE_TEST_LEFT_OUT"' EXIT
failed=

tier() { # name command…
	name=$1
	shift
	echo "== $name"
	began=$(date +%s)
	"$@" || failed="$failed $name;"
	echo "== $name: $(($(date +%s) - began)) s"
}

leave_out() { # what
	if [ "${TRAPLINE_TEST_ROOT:-}" = 1 ]; then
		echo "needs $1, and leaving tests out is not allowed here"
		failed="$failed $1;"
	else
		printf 'no\t%s\tall tests that depend on the kernel\n' "$1" >>"$TRAPLINE_TEST_LEFT_OUT"
	fi
}

tier "static checks" make -s lint cross
# The tests of internal/e2e take minutes on a busy machine.
tier "tests on this kernel, as $(id -un)" "$GO" test -count=1 -timeout 20m ./...
kernels=
if [ "$(uname -m)" != x86_64 ]; then
	leave_out "virtual machines (an x86-64 host)"
else
	for kernel in $VM_KERNELS; do
		if scripts/vm-kernels.sh "$kernel"; then
			kernels="$kernels $kernel"
		else
			leave_out "$kernel in QEMU, both from Debian (see above)"
		fi
	done
fi
if [ -n "$kernels" ]; then
	export VM_KERNELS="$kernels"
	tier "tests in virtual machines" scripts/test-vm.sh
	sed -i '/^vm\t/d' "$TRAPLINE_TEST_LEFT_OUT" # these have run now
fi

echo "== summary"
if [ -s "$TRAPLINE_TEST_LEFT_OUT" ]; then
	echo "left out, because these are missing:"
	cut -f2- "$TRAPLINE_TEST_LEFT_OUT" | sort -u | awk -F'\t' '
		$1 != last { if (NR > 1) print ""; printf "  %s:", $1; last = $1 }
		{ printf "\n      %s", $2 }
		END { print "" }'
else
	echo "nothing was left out"
fi
if [ -n "$failed" ]; then
	echo "FAILED:${failed%;}"
	exit 1
fi
echo "all tests passed"
