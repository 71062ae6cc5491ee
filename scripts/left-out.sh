#!/bin/sh
# Reports that make lint skips a check because something is missing, and notes it for the
# summary of make test. With TRAPLINE_TEST_ROOT=1, skipping a check is a failure.
set -eu
if [ "${TRAPLINE_TEST_ROOT:-}" = 1 ]; then
	echo "make lint needs $1, and leaving checks out is not allowed here"
	exit 1
fi
echo "make lint: left out, because this is missing: $1"
if [ -n "${TRAPLINE_TEST_LEFT_OUT:-}" ]; then
	printf 'no\t%s\tmake lint\n' "$1" >>"$TRAPLINE_TEST_LEFT_OUT"
fi
