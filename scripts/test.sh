#!/bin/sh
# Runs every tier of tests that this machine allows, and names what it left out.
# With TRAPLINE_TEST_ROOT=1 leaving something out is a failure, except what the
# machine's own kernel lacks and the virtual machines cover.
set -u
cd "$(dirname "$0")/.."

TRAPLINE_TEST_LEFT_OUT=$(mktemp)
export TRAPLINE_TEST_LEFT_OUT
trap 'rm -f "$TRAPLINE_TEST_LEFT_OUT"' EXIT
failed=

tier() { # name command…
	name=$1
	shift
	echo "== $name"
	"$@" || failed="$failed $name;"
}

leave_out() { # what
	if [ "${TRAPLINE_TEST_ROOT:-}" = 1 ]; then
		echo "needs $1, and leaving tests out is not allowed here"
		failed="$failed $1;"
	else
		printf 'no\t%s\tall that depends on other kernels\n' "$1" >>"$TRAPLINE_TEST_LEFT_OUT"
	fi
}

tier "static checks" make -s lint cross
tier "tests on this kernel, as $(id -un)" "$GO" test -count=1 ./...
if [ "$(uname -m)" != x86_64 ]; then
	leave_out "virtual machines (an x86-64 host)"
elif ! scripts/vm-kernels.sh $VM_KERNELS; then
	leave_out "virtual machines (QEMU and Debian's kernels, installed through apt-get: see above)"
else
	tier "tests in virtual machines" scripts/test-vm.sh
	# These have run now.
	sed -i '/^vm\t/d' "$TRAPLINE_TEST_LEFT_OUT"
fi

echo "== summary"
if [ -s "$TRAPLINE_TEST_LEFT_OUT" ]; then
	echo "left out, for want of:"
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
