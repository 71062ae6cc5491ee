package images

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trapline/capture/ring"
	"trapline/format"
	"trapline/internal/kallsyms"
)

// self returns the mappings of this process now. /proc tells the age of a process in
// hundredths of a second: self returns when this process is old enough.
func self() Moment {
	at := Moment{PID: uint32(os.Getpid()), Space: 1}
	for born := startTime(at.PID); at.Time+bootClockLead() < born; {
		var ts unix.Timespec
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
		at.Time = uint64(ts.Nano())
	}
	return at
}

func codeAddress() uint64 { return uint64(reflect.ValueOf(self).Pointer()) }

// Code mapped before the recording is found by a scan or, without one, in /proc: the same
// file and offset.
func TestLocateOwnCode(t *testing.T) {
	want, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var locations []Location
	for _, scanned := range []bool{true, false} {
		user := NewUserSpace()
		if scanned {
			user.Scan([]uint32{uint32(os.Getpid())})
		}
		l, code := user.Locate(self(), codeAddress())
		if !code || l.Image == nil || l.Image.Path != want || l.Image.Kind != format.ImageELF || l.Image.Inode == 0 {
			t.Fatalf("scanned %t: %+v in %+v (code: %t), want %s", scanned, l, l.Image, code, want)
		}
		locations = append(locations, Location{Offset: l.Offset})
		if err := user.Close(); err != nil {
			t.Error(err)
		}
	}
	if locations[0] != locations[1] {
		t.Errorf("at %#x after a scan, at %#x without", locations[0].Offset, locations[1].Offset)
	}
	// The file contains the code at that offset.
	file, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	code := memory(codeAddress(), 16)
	if at := locations[0].Offset; !slices.Equal(file[at:at+16], code) {
		t.Errorf("at %#x in the file is other code", at)
	}
}

// Data and unmapped addresses are not code. Addresses of unknown processes may be.
func TestLocateWithoutCode(t *testing.T) {
	user := NewUserSpace()
	defer user.Close()
	data := new(int)
	if l, code := user.Locate(self(), uint64(reflect.ValueOf(data).Pointer())); code {
		t.Errorf("the heap is code: %+v", l)
	}
	if l, code := user.Locate(self(), 8); code {
		t.Errorf("address 8 is code: %+v", l)
	}
	gone := Moment{PID: 1 << 30, Space: 2, Time: self().Time}
	if l, code := user.Locate(gone, 0x401000); !code || l.Image != nil || l.Offset != 0x401000 {
		t.Errorf("of a process that is gone: %+v, code %t", l, code)
	}
}

// What /proc shows of a process born after the hit is not believed: it has the PID of the
// process that hit.
func TestLocateInEarlierOwner(t *testing.T) {
	user := NewUserSpace()
	defer user.Close()
	at := self()
	at.Time = startTime(at.PID) - bootClockLead() - 2*clockTick
	if l, code := user.Locate(at, codeAddress()); !code || l.Image != nil || l.Offset != codeAddress() {
		t.Errorf("%+v in %+v (code: %t), want an unknown image", l, l.Image, code)
	}
	frame := ring.UserFrame{Address: codeAddress(), Inode: 1 << 60, Device: 1, Known: true}
	if l, _ := user.Find(at, frame); l.Image == nil || l.Image.Kind != format.ImageUnknown {
		t.Errorf("a file that this process does not map is %+v", l.Image)
	}
}

// Files are told apart by content: a rewritten file is a new image.
func TestFilesWrittenAnew(t *testing.T) {
	user := NewUserSpace()
	defer user.Close()
	path := filepath.Join(t.TempDir(), "lib.so")
	write := func(content string) *Image {
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
		delete(user.files.files, keyOf(t, path)) // as if it was mapped again
		return user.OpenPath(uint32(os.Getpid()), path)
	}
	first := write("first")
	frame := ring.UserFrame{Image: first.Key, Inode: first.Inode, Device: first.Device, Known: true, Offset: 8}
	second := write("second, of another size")
	if first == second || first.Key == second.Key {
		t.Fatalf("one image of two contents: %+v", second)
	}
	if l, code := user.Find(self(), frame); !code || l.Image != first || l.Offset != 8 {
		t.Errorf("a frame of the first file is at %+v of %+v", l, l.Image)
	}
	frame.Image = second.Key
	if l, _ := user.Find(self(), frame); l.Image != second {
		t.Errorf("a frame of the second file is in %+v", l.Image)
	}
}

func keyOf(t *testing.T, path string) fileKey {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return fileKey{deviceOf(&st), st.Ino}
}

// Follow reports files known before and new ones.
func TestFollow(t *testing.T) {
	user := NewUserSpace()
	defer user.Close()
	dir := t.TempDir()
	open := func(name string) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
		user.OpenPath(uint32(os.Getpid()), path)
	}
	var seen []string
	open("before")
	user.Follow(func(i *Image) { seen = append(seen, filepath.Base(i.Path)) })
	open("after")
	open("after") // known already
	if got := strings.Join(seen, " "); got != "before after" {
		t.Errorf("told of %q", got)
	}
}

// An address without a symbol makes Kernel read the symbols again, but at most once a
// second.
func TestKernelSymbolsAreReadSeldom(t *testing.T) {
	read := func(text string) *kallsyms.Symbols {
		k, err := kallsyms.Read(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	const base = "ffffffff81000000 T _stext\nffffffff81000100 T vfs_read\nffffffff81000200 T _etext\n"
	const loaded = base + "ffffffffc0000000 t hello\t[module]\nffffffffc0000100 t there\t[module]\n"
	reads := 0
	k := NewKernel(read(base), func() (*kallsyms.Symbols, error) {
		reads++
		return read(loaded), nil
	})
	now := k.read
	k.now = func() time.Time { return now }
	for i := range uint64(1000) {
		k.Find(0xffffffff81000100 + i%16)
		k.Find(0xffffffffc0000000 + i)
	}
	if reads != 0 {
		t.Errorf("read %d times within a moment", reads)
	}
	now = now.Add(2 * minKallsymsAge)
	if l := k.Find(0xffffffffc0000010); reads != 1 || l.Image == nil || k.Name(l, 0).Function != "hello" {
		t.Errorf("read %d times, and found %+v", reads, l)
	}
	for i := range uint64(1000) {
		k.Find(0xffffffffd0000000 + i)
	}
	if reads != 1 {
		t.Errorf("read %d times", reads)
	}
}

func memory(address uint64, n int) []byte {
	f, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, n)
	f.ReadAt(b, int64(address))
	return b
}
