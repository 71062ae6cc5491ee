package locate

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// tree creates files, or symbolic links for texts that start with ->.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if len(text) > 2 && text[:2] == "->" {
			err = os.Symlink(text[2:], name)
		} else {
			err = os.WriteFile(name, []byte(text), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestFindBinary(t *testing.T) {
	t.Setenv("PATH", "/usr/bin")
	cache := string(ldCache([2]string{"libssl.so.1.1", "/usr/lib/libssl.so.1.1"}, [2]string{"libssl.so.10", "/usr/lib/libssl.so.10"},
		[2]string{"libssl.so.3", "/usr/lib/libssl.so.3"}, [2]string{"libgone.so.1", "/usr/lib/libgone.so.1"}))
	root := tree(t, map[string]string{
		"etc/ld.so.cache":                   cache,
		"usr/lib/libssl.so.1.1":             "1.1",
		"usr/lib/libssl.so.3":               "3",
		"usr/lib/libssl.so.10":              "->libssl.so.10.2",
		"usr/lib/libssl.so.10.2":            "10",
		"lib":                               "->usr/lib",
		"usr/lib/libgone.so.2":              "gone 2",
		"usr/bin/tool":                      "->/opt/tool",
		"opt/tool":                          "tool",
		"loop":                              "->/loop",
		"proc/7/root/etc/ld.so.cache":       cache,
		"proc/7/root/usr/lib/libssl.so.3":   "->/../../opt/ssl/libssl.so.3.0",
		"proc/7/root/opt/ssl/libssl.so.3.0": "container's 3",
		"proc/7/root/usr/lib/libc-2.31.so":  "container's libc",
		"proc/7/maps": "1000-2000 r-xp 00000000 fd:01 5 /usr/lib/libc-2.31.so\n" +
			"2000-3000 r-xp 00000000 fd:01 6 /usr/lib/libssl.so.3\n3000-4000 r-xp 00000000 fd:01 6 /usr/lib/libx.so (deleted)\n",
	})
	for _, test := range []struct {
		pid         int
		name        string
		shown, open string // open is relative to the root; "" means not found
	}{
		{0, "libssl.so.1.1", "/usr/lib/libssl.so.1.1", "/usr/lib/libssl.so.1.1"},
		{0, "libssl", "/usr/lib/libssl.so.10", "/usr/lib/libssl.so.10.2"},
		{0, "libgone", "/lib/libgone.so.2", "/usr/lib/libgone.so.2"}, // the cache names a file that does not exist
		{0, "tool", "/usr/bin/tool", "/opt/tool"},
		{0, "/lib/libssl.so.3", "/lib/libssl.so.3", "/usr/lib/libssl.so.3"},
		{0, "lib", "", ""},
		{0, "/usr/bin/nothing", "", ""},
		{7, "libssl", "/usr/lib/libssl.so.3", "/proc/7/root/opt/ssl/libssl.so.3.0"},
		{7, "libc", "/usr/lib/libc-2.31.so", "/proc/7/root/usr/lib/libc-2.31.so"},
		{7, "libx.so", "", ""},
		{7, "/usr/lib/libssl.so.3", "/usr/lib/libssl.so.3", "/proc/7/root/opt/ssl/libssl.so.3.0"},
	} {
		t.Run(fmt.Sprintf("%d/%s", test.pid, filepath.Base(test.name)), func(t *testing.T) {
			b, err := New(root, test.pid).Find(test.name)
			switch {
			case test.open == "" && err == nil:
				t.Errorf("found %+v", b)
			case test.open == "":
			case err != nil:
				t.Error(err)
			case b.Shown != test.shown || b.Open != root+test.open:
				t.Errorf("found %+v, want %s opened as %s", b, test.shown, test.open)
			}
		})
	}
	if _, err := resolveLinks(root, "/loop/x"); err == nil {
		t.Error("a link to itself was resolved")
	}
}

func TestVersionLess(t *testing.T) {
	order := []string{"libssl.so", "libssl.so.1.0.2", "libssl.so.1.1", "libssl.so.3", "libssl.so.10", "libssl.so.10a"}
	for i, a := range order {
		for j, b := range order {
			if versionLess(a, b) != (i < j) {
				t.Errorf("%s < %s: got %v", a, b, !(i < j))
			}
		}
	}
}
