package nearest_test

import (
	"slices"
	"strings"
	"testing"

	"trapline/internal/nearest"
)

func TestNames(t *testing.T) {
	names := []string{"vfs_read", "vfs_write", "vfs_readv", "vfs_fsync", "do_sys_open", "read", strings.Repeat("x", 1000)}
	for want, expected := range map[string][]string{
		"vfs_raed":  {"vfs_read", "vfs_readv"}, // one swap; one swap and one insertion
		"vfs_reads": {"vfs_read", "vfs_readv"},
		"rea":       {"read"},
		"unrelated": nil,
		"vfs_read":  {"vfs_read", "vfs_readv"},
	} {
		f := nearest.To(want)
		for _, n := range names {
			f.Add(n)
		}
		f.Add(names[0]) // again
		if got := f.Names(); !slices.Equal(got, expected) {
			t.Errorf("%s: got %q, want %q", want, got, expected)
		}
	}
}

// A known correction comes before similar names.
func TestInsert(t *testing.T) {
	f := nearest.To("count")
	f.Add("counts")
	f.Insert("shop::Basket::count", 0)
	if got := f.Names(); len(got) != 2 || got[0] != "shop::Basket::count" {
		t.Errorf("got %q", got)
	}
}
