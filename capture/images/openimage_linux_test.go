package images

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"trapline/internal/testenv"
)

// Images whose file was overwritten in place cannot be opened. A new time alone does not
// matter if the build ID is the same.
func TestOverwrittenFiles(t *testing.T) {
	for _, id := range []string{"0x0102", "none"} {
		for name, test := range map[string]struct {
			change    func(t *testing.T, path string)
			unchanged bool
		}{
			"nothing": {func(t *testing.T, path string) {}, true},
			"deleted": {func(t *testing.T, path string) { os.Remove(path) }, true},
			"touched": {func(t *testing.T, path string) { os.Chtimes(path, time.Time{}, time.Unix(1, 0)) }, id != "none"},
			"overwritten": {func(t *testing.T, path string) {
				f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				f.WriteString("something else")
			}, false},
			"another build ID of the same size and time": {func(t *testing.T, path string) {
				st, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				compile(t, path, "0x0103")
				if now, _ := os.Stat(path); id != "none" && now.Size() != st.Size() {
					t.Fatalf("%d bytes, want %d", now.Size(), st.Size())
				}
				os.Chtimes(path, time.Time{}, st.ModTime())
			}, false},
		} {
			t.Run(id+"/"+name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "lib.so")
				compile(t, path, id)
				user := NewUserSpace()
				defer user.Close()
				img := user.OpenPath(uint32(os.Getpid()), path)
				test.change(t, path)
				r, done := Open(img)
				if (r != nil) != test.unchanged || Intact(img) != test.unchanged {
					t.Errorf("opened %t, intact %t, want %t", r != nil, Intact(img), test.unchanged)
				}
				if r != nil {
					done()
				}
			})
		}
	}
}

// compile writes a library with a build ID to a file, in place.
func compile(t *testing.T, path, id string) {
	t.Helper()
	made := filepath.Join(t.TempDir(), "made.so")
	cmd := exec.Command(testenv.Tool(t, "gcc"), "-shared", "-Wl,--build-id="+id, "-o", made, "-x", "c", "/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
}
