#!/bin/sh
# Checks the format of the C code against bpf/.clang-format. Results depend on the
# version of clang-format, so only version 19 is used. Without it, the check is left
# out, and the summary of make test says so.
set -eu
cd "$(dirname "$0")/.."

if ! command -v clang-format-19 >/dev/null; then
	echo "clang-format: left out, clang-format-19 is not installed"
	printf 'no\tthe program clang-format-19\tthe format of bpf/\n' >>"${TRAPLINE_TEST_LEFT_OUT:-/dev/null}"
	exit 0
fi
clang-format-19 --dry-run --Werror bpf/*.bpf.c bpf/*.h bpf/stacks/*.h bpf/headers/*.h
