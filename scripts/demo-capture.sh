#!/bin/sh
# Regenerates testdata/demo.data, which `make demo` shows if it cannot record. Run it
# after changing the capture format. It records an otherwise idle virtual machine; it
# needs Debian 12 and the kernels that scripts/vm-kernels.sh installs.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$work/" ./cmd/record ./internal/vmtest/vmexec

cat >"$work/work.sh" <<'END'
ls -R /usr >/tmp/list
sort /tmp/list >/tmp/sorted
gofmt -l /usr/src/strconv
python3 -c 'import json; json.dumps([{"n": n, "squares": [i * i for i in range(n)]} for n in range(60)])'
END
cat >"$work/guest.sh" <<'END'
echo demo >/proc/sys/kernel/hostname
PATH=/usr/bin
cd /tmp
record -q -a -F 199 -e cpu-clock -e sched:sched_switch -e syscalls:sys_enter_openat -e 'uprobe:libc:malloc size=arg0:u64' -o demo.data -- sh /usr/src/work.sh 2>/tmp/errors
base64 demo.data
END

files=
add() { # file, path in the machine
	files="$files:$1=${2:-$1}"
}
add_program() { # name; adds its libraries and their debug files
	add "$(readlink -f "/usr/bin/$1")" "/usr/bin/$1"
	for library in $(ldd "/usr/bin/$1" | grep -o '/[^ ]*'); do
		add "$library"
		id=$(readelf -n "$library" | sed -n 's/.*Build ID: //p')
		debug=/usr/lib/debug/.build-id/$(echo "$id" | cut -c1-2)/$(echo "$id" | cut -c3-).debug
		[ ! -e "$debug" ] || add "$debug"
	done
}
for program in sh ls sort base64 python3; do add_program $program; done
add "$work/record" /usr/bin/record
add "$work/work.sh" /usr/src/work.sh
goroot=$(go env GOROOT)
add "$goroot/bin/gofmt" /usr/bin/gofmt
for file in "$goroot"/src/strconv/*.go; do add "$file" "/usr/src/strconv/${file##*/}"; done
python=$(/usr/bin/python3 -c 'import os; print(os.path.dirname(os.__file__))')
for file in "$python"/*.py; do add "$file"; done
trees=/usr/include/linux
for package in encodings json collections re; do trees=$trees:$python/$package; done

kernel=$PWD/.cache/vm/linux-image-6.12-cloud-amd64/vmlinuz
add "$work/guest.sh" /guest.sh
(cd / && VM_KERNEL=$kernel VM_FILES=$files VM_TREES=$trees "$work/vmexec" /bin/sh /guest.sh) | base64 -d >"$work/demo.data"
install -m 0644 "$work/demo.data" testdata/demo.data
