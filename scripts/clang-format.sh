#!/bin/sh
# Checks that the C of bpf/ is formatted as bpf/.clang-format says. Versions of
# clang-format differ, so it has to be 19: another one is not asked.
set -eu
cd "$(dirname "$0")/.."

if ! command -v clang-format-19 >/dev/null; then
	scripts/left-out.sh "the program clang-format-19"
	exit
fi
clang-format-19 --dry-run --Werror bpf/*.bpf.c bpf/*.h bpf/stacks/*.h bpf/headers/*.h
