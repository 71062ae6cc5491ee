#!/bin/sh
# Fetches the kernels that the virtual machines boot into .cache/vm, once:
#   .cache/vm/<meta package>/vmlinuz, config, dummy.ko (a module to probe)
# The arguments are Debian meta packages: the packages that they depend on are replaced
# with every update of the kernel. No kernel is installed. QEMU and xz are, if they are
# missing, which takes root.
set -eu
cd "$(dirname "$0")/.."

resolve() {
	apt-cache depends --important "$1" 2>/dev/null | awk '/Depends: linux-image-[0-9]/ { print $2; exit }'
}

install_missing() { # program package
	command -v "$1" >/dev/null && return
	[ "$(id -u)" = 0 ] || { echo "vm-kernels: $1 is not installed: apt-get install $2, as root" >&2; exit 1; }
	command -v apt-get >/dev/null || { echo "vm-kernels: $1 is not installed, and there is no apt-get to install it" >&2; exit 1; }
	echo "vm-kernels: installing $2"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends "$2" </dev/null >/dev/null
}

fetch() { # meta package
	dir=.cache/vm/$1
	[ -e "$dir/dummy.ko" ] && return
	package=$(resolve "$1")
	if [ -z "$package" ]; then
		apt-get update -qq
		package=$(resolve "$1")
	fi
	[ -n "$package" ] || { echo "vm-kernels: apt has no package $1: add Debian's security archive to its sources" >&2; exit 1; }
	echo "vm-kernels: fetching $package"
	tmp=$(mktemp -d .cache/vm/fetch.XXXXXX)
	if ! (cd "$tmp" && apt-get download -qq "$package" 2>/dev/null); then
		apt-get update -qq # the list is older than the archive
		package=$(resolve "$1")
		(cd "$tmp" && apt-get download -qq "$package")
	fi
	dpkg-deb --fsys-tarfile "$tmp"/*.deb |
		tar -x -C "$tmp" --wildcards './boot/vmlinuz-*' './boot/config-*' '*/drivers/net/dummy.ko*'
	module=$(find "$tmp" -name 'dummy.ko*')
	case $module in *.xz) xz -d "$module"; module=${module%.xz} ;; esac
	mkdir -p "$dir"
	mv "$tmp"/boot/vmlinuz-* "$dir/vmlinuz"
	mv "$tmp"/boot/config-* "$dir/config"
	mv "$module" "$dir/dummy.ko"
	rm -rf "$tmp"
}

mkdir -p .cache/vm
install_missing qemu-system-x86_64 qemu-system-x86
install_missing xz xz-utils
for meta; do fetch "$meta"; done
