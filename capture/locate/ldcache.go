package locate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"strings"
)

// A library is an entry of the dynamic linker's cache.
type library struct {
	name  string // soname
	path  string
	flags uint32 // kind and machine
	hwcap uint64 // if not 0, for CPUs with certain features only
}

const (
	ldCacheMagic    = "glibc-ld.so.cache1.1"
	ldCacheOldMagic = "ld.so-1.7.0"
	ldCacheHeader   = 48
	ldCacheEntry    = 24
	maxLDCache      = 8 << 20 // bytes
)

var errBadLDCache = errors.New("not a cache of the dynamic linker")

// parseLDCache parses /etc/ld.so.cache: sysdeps/generic/dl-cache.h in glibc. The current
// table may follow an older one.
func parseLDCache(data []byte) ([]library, error) {
	if bytes.HasPrefix(data, []byte(ldCacheOldMagic)) {
		if len(data) < 16 {
			return nil, errBadLDCache
		}
		skip := 16 + 12*uint64(binary.LittleEndian.Uint32(data[12:]))
		skip = (skip + 7) &^ 7
		if skip > uint64(len(data)) {
			return nil, errBadLDCache
		}
		data = data[skip:]
	}
	if len(data) < ldCacheHeader || string(data[:len(ldCacheMagic)]) != ldCacheMagic {
		return nil, errBadLDCache
	}
	n := uint64(binary.LittleEndian.Uint32(data[20:]))
	if n > uint64(len(data)-ldCacheHeader)/ldCacheEntry {
		return nil, errBadLDCache
	}
	text := string(data) // names are substrings of it
	libs := make([]library, 0, n)
	for i := range int(n) {
		e := data[ldCacheHeader+ldCacheEntry*i:]
		name, ok := cString(text, binary.LittleEndian.Uint32(e[4:]))
		path, ok2 := cString(text, binary.LittleEndian.Uint32(e[8:]))
		if !ok || !ok2 {
			return nil, errBadLDCache
		}
		libs = append(libs, library{name, path, binary.LittleEndian.Uint32(e), binary.LittleEndian.Uint64(e[16:])})
	}
	return libs, nil
}

// maxCString bounds names and paths in bytes: PATH_MAX.
const maxCString = 4096

func cString(text string, offset uint32) (string, bool) {
	if uint64(offset) >= uint64(len(text)) {
		return "", false
	}
	text = text[offset:]
	end := strings.IndexByte(text[:min(len(text), maxCString)], 0)
	if end < 0 {
		return "", false
	}
	return text[:end], true
}

// readLibraries returns the libraries for this machine's architecture in the cache below
// a root directory.
func readLibraries(root string) []library {
	name := root + "/etc/ld.so.cache"
	if info, err := os.Stat(name); err != nil || info.Size() > maxLDCache {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	libs, err := parseLDCache(data)
	if err != nil {
		return nil // the default directories are still searched
	}
	kept := libs[:0]
	for _, l := range libs {
		if l.hwcap == 0 && l.flags == ldCacheFlags() {
			kept = append(kept, l)
		}
	}
	return kept
}

// ldCacheFlags returns the flags of 64-bit libraries: FLAG_ELF_LIBC6 with
// FLAG_X8664_LIB64 or FLAG_AARCH64_LIB64 in sysdeps/generic/ldconfig.h of glibc.
func ldCacheFlags() uint32 {
	if runtime.GOARCH == "arm64" {
		return 0x0a03
	}
	return 0x0303
}
