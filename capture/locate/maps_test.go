package locate_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"trapline/capture/locate"
)

func TestReadMaps(t *testing.T) {
	const text = `55d0c0a00000-55d0c0a01000 r-xp 00001000 fd:01 1234                       /usr/bin/my prog
7f0000000000-7f0000021000 rw-p 00000000 00:00 0 
7f0000021000-7f0000022000 r--s 00002000 103:fffff 18446744073709551615   /a\012b (deleted)
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`
	want := []locate.Mapping{
		{Start: 0x55d0c0a00000, End: 0x55d0c0a01000, Perm: "r-xp", Offset: 0x1000, Device: 0xfd<<20 | 1, Inode: 1234, Path: "/usr/bin/my prog"},
		{Start: 0x7f0000000000, End: 0x7f0000021000, Perm: "rw-p"},
		{Start: 0x7f0000021000, End: 0x7f0000022000, Perm: "r--s", Offset: 0x2000, Device: 0x103<<20 | 0xfffff, Inode: 1<<64 - 1, Path: "/a\nb (deleted)"},
		{Start: 0xffffffffff600000, End: 0xffffffffff601000, Perm: "--xp", Path: "[vsyscall]"},
	}
	got, err := locate.ReadMaps(strings.NewReader(text))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	for _, bad := range []string{"x", "1-2", "1-2 r-xp 0 0:0", "2-1 r-xp 0 00:00 0 ", "1-2 rx 0 00:00 0 ", "1-2 r-xp 0 00:100000 0 ", "\n"} {
		if got, err := locate.ReadMaps(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: got %+v", bad, got)
		}
	}
}

// FuzzParseMaps checks that mappings survive writing, by the kernel's rules, and reading.
func FuzzParseMaps(f *testing.F) {
	f.Add("1-2 r-xp 0 fd:01 3 /x\n")
	f.Add("7f0000021000-7f0000022000 r--s 00002000 00:00 0    /a\\012b (deleted)\n1-2 rwxp 0 0:0 0")
	f.Fuzz(func(t *testing.T, text string) {
		maps, err := locate.ReadMaps(strings.NewReader(text))
		if err != nil {
			return
		}
		var b strings.Builder
		for _, m := range maps {
			fmt.Fprintf(&b, "%08x-%08x %s %08x %02x:%02x %d %s\n", m.Start, m.End, m.Perm, m.Offset, m.Device>>20, m.Device&(1<<20-1), m.Inode,
				strings.ReplaceAll(m.Path, "\n", `\012`))
		}
		again, err := locate.ReadMaps(strings.NewReader(b.String()))
		if err != nil || !reflect.DeepEqual(again, maps) {
			t.Fatalf("%q: got %+v, %v; want %+v", b.String(), again, err, maps)
		}
	})
}
