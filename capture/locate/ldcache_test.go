package locate

import (
	"strings"
	"testing"
)

func FuzzParseLDCache(f *testing.F) {
	f.Add(ldCache([2]string{"libc.so.6", "/lib/libc.so.6"}))
	f.Add(append([]byte("ld.so-1.7.0\x00\x00\x00\x00\x00"), ldCache()...))
	f.Fuzz(func(t *testing.T, data []byte) {
		libs, err := parseLDCache(data)
		if err == nil && len(libs)*ldCacheEntry > len(data) {
			t.Fatalf("%d libraries in %d bytes", len(libs), len(data))
		}
	})
}

// ldCache builds a cache that maps names to paths of libraries for this machine.
func ldCache(libs ...[2]string) []byte {
	le := func(n uint64, size int) string {
		var b strings.Builder
		for range size {
			b.WriteByte(byte(n))
			n >>= 8
		}
		return b.String()
	}
	entries, text := "", ""
	at := uint64(ldCacheHeader + ldCacheEntry*len(libs))
	for _, l := range libs {
		entries += le(uint64(ldCacheFlags()), 4) + le(at, 4) + le(at+uint64(len(l[0]))+1, 4) + le(0, 4) + le(0, 8)
		s := l[0] + "\x00" + l[1] + "\x00"
		text += s
		at += uint64(len(s))
	}
	return []byte(ldCacheMagic + le(uint64(len(libs)), 4) + le(uint64(len(text)), 4) + le(2, 4) + le(0, 16) + entries + text)
}
