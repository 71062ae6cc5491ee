package naming_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"trapline/internal/naming"
	"trapline/internal/symbol"
)

// A countedImage is a file that counts how often it is opened and read.
type countedImage struct {
	path                 string
	opened, open, reads  atomic.Int64
	readerAt             io.ReaderAt
	refuse, refuseClosed error
}

func (i *countedImage) Open() (*naming.Source, error) {
	i.opened.Add(1)
	if i.refuse != nil {
		return nil, i.refuse
	}
	f, err := os.Open(i.path)
	if err != nil {
		return nil, err
	}
	i.open.Add(1)
	i.readerAt = f
	return &naming.Source{ReaderAt: (*counter)(i), Options: symbol.Options{Path: i.path}, Close: func() error {
		i.open.Add(-1)
		return errors.Join(f.Close(), i.refuseClosed)
	}}, nil
}

type counter countedImage

func (c *counter) ReadAt(b []byte, off int64) (int, error) {
	c.reads.Add(1)
	return c.readerAt.ReadAt(b, off)
}

// program returns the path of the test program, and the offset of an address in it.
func program(t *testing.T) (path string, offset func(pc uintptr) uint64) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Type != elf.ET_EXEC {
		t.Fatalf("%s is not linked to fixed addresses", path)
	}
	progs := f.Progs
	return path, func(pc uintptr) uint64 {
		for _, p := range progs {
			if p.Type == elf.PT_LOAD && uint64(pc) >= p.Vaddr && uint64(pc)-p.Vaddr < p.Filesz {
				return uint64(pc) - p.Vaddr + p.Off
			}
		}
		t.Fatalf("%#x is not in %s", pc, path)
		return 0
	}
}

// here returns the return addresses on the stack of its caller.
func here() []uintptr {
	pcs := make([]uintptr, 8)
	return pcs[:runtime.Callers(2, pcs)]
}

func TestNames(t *testing.T) {
	path, offset := program(t)
	image := &countedImage{path: path}
	pcs := here()
	frames := []naming.Frame{{}, {Offset: 5}}
	for _, pc := range pcs {
		frames = append(frames, naming.Frame{Image: image, Offset: offset(pc), Return: true})
	}
	n := naming.New(naming.Limits{})
	var progress []string
	calls, err := n.Name(frames, naming.Options{Progress: func(done, total int) {
		progress = append(progress, fmt.Sprintf("%d/%d", done, total))
	}})
	if err != nil {
		t.Fatal(err)
	}
	if calls[0] != nil || calls[1] != nil {
		t.Errorf("frames without an image are %v and %v", calls[0], calls[1])
	}
	want := runtime.CallersFrames(pcs)
	for i := range pcs {
		f, _ := want.Next()
		got := calls[i+2]
		if len(got) == 0 {
			t.Errorf("%s has no name", f.Function)
			continue
		}
		last := got[len(got)-1]
		if last.Function != f.Function || filepath.Base(got[0].File) != filepath.Base(f.File) || got[0].Line != f.Line {
			t.Errorf("got %v, want %s at %s:%d", got, f.Function, f.File, f.Line)
		}
		// The offset is the frame's, not that of the call before it.
		if at := uint64(pcs[i]) - uint64(f.Func.Entry()); last.Offset != at {
			t.Errorf("%s+%#x, want +%#x", f.Function, last.Offset, at)
		}
	}
	if len(progress) != 1 || progress[0] != "1/1" {
		t.Errorf("progress: %v", progress)
	}
	if err := n.Close(); err != nil || image.open.Load() != 0 {
		t.Errorf("%d images are open after Close (%v)", image.open.Load(), err)
	}
}

// framesOf returns frames in many functions.
func framesOf(t *testing.T, image naming.Image, path string, from, step, count int) []naming.Frame {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e, err := symbol.NewELF(f, symbol.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	functions, err := e.Functions()
	if err != nil || len(functions) < from+step*count {
		t.Fatalf("%d functions (%v)", len(functions), err)
	}
	var frames []naming.Frame
	for i := range count {
		frames = append(frames, naming.Frame{Image: image, Offset: functions[from+i*step].Offset})
	}
	return frames
}

// An image is opened and indexed once, for any number of frames and calls.
func TestIndexesOnce(t *testing.T) {
	path, _ := program(t)
	image := &countedImage{path: path}
	n := naming.New(naming.Limits{})
	defer n.Close()
	if _, err := n.Name(framesOf(t, image, path, 0, 10, 1), naming.Options{}); err != nil {
		t.Fatal(err)
	}
	index := image.reads.Load()
	for round := range 20 {
		calls, err := n.Name(framesOf(t, image, path, 1+round, 20, 100), naming.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			if c == nil {
				t.Fatal("a function has no name")
			}
		}
	}
	if opened := image.opened.Load(); opened != 1 {
		t.Errorf("the image was opened %d times for 2,001 frames in 21 calls", opened)
	}
	reads := image.reads.Load()
	if reads > 2*index+4000 {
		t.Errorf("%d reads for 2,000 frames, %d for the first", reads-index, index)
	}
	// Names are cached.
	if _, err := n.Name(framesOf(t, image, path, 1, 20, 100), naming.Options{}); err != nil || image.reads.Load() != reads {
		t.Errorf("%d reads for frames that were named before (%v)", image.reads.Load()-reads, err)
	}
}

// Beyond the limits, the least recently used images are closed. They are opened again
// when they are needed.
func TestLimits(t *testing.T) {
	path, _ := program(t)
	for name, limits := range map[string]naming.Limits{"images": {Images: 2}, "memory": {Memory: 1}} {
		t.Run(name, func(t *testing.T) {
			n := naming.New(limits)
			images := []*countedImage{{path: path}, {path: path}, {path: path}}
			for round := range 2 {
				for _, image := range images {
					calls, err := n.Name(framesOf(t, image, path, round, 1, 1), naming.Options{})
					if err != nil || calls[0] == nil {
						t.Fatalf("%v, %v", calls, err)
					}
					open := int64(0)
					for _, i := range images {
						open += i.open.Load()
					}
					if open > int64(limits.Images) {
						t.Errorf("%d images are open", open)
					}
				}
			}
			for i, image := range images {
				if image.opened.Load() != 2 {
					t.Errorf("image %d was opened %d times", i, image.opened.Load())
				}
			}
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNameLimit(t *testing.T) {
	path, _ := program(t)
	image := &countedImage{path: path}
	n := naming.New(naming.Limits{Names: 10})
	defer n.Close()
	frames := framesOf(t, image, path, 0, 1, 50)
	first, err := n.Name(frames, naming.Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := n.Name(frames, naming.Options{})
	if err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("names differ when they are forgotten (%v)", err)
	}
}

// A file that cannot be opened or is not an ELF file has no names and is tried only once.
func TestNoNames(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("no ELF file\n"), 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, image := range map[string]*countedImage{
		"missing": {path: "/nonexistent"}, "refused": {refuse: errors.New("refused")}, "text": {path: text}, "directory": {path: t.TempDir()},
	} {
		n := naming.New(naming.Limits{})
		for offset := range uint64(3) {
			calls, err := n.Name([]naming.Frame{{Image: image, Offset: offset}}, naming.Options{})
			if err != nil || calls[0] != nil {
				t.Errorf("%s: %v, %v", name, calls, err)
			}
		}
		if image.opened.Load() != 1 {
			t.Errorf("%s: opened %d times", name, image.opened.Load())
		}
		if err := n.Close(); err != nil || image.open.Load() != 0 {
			t.Errorf("%s: %d open after Close (%v)", name, image.open.Load(), err)
		}
	}
}

// Names are complete even if closing an image fails.
func TestCloseError(t *testing.T) {
	path, _ := program(t)
	image := &countedImage{path: path, refuseClosed: errors.New("close failed")}
	n := naming.New(naming.Limits{Memory: 1})
	calls, err := n.Name(framesOf(t, image, path, 0, 1, 1), naming.Options{})
	if err == nil || !strings.Contains(err.Error(), "close failed") || calls[0] == nil {
		t.Errorf("%v, %v", calls, err)
	}
}

// If several goroutines name frames of the same images, each image is indexed once.
func TestConcurrent(t *testing.T) {
	path, _ := program(t)
	images := []*countedImage{{path: path}, {path: path}, {path: path}}
	var frames []naming.Frame
	for _, image := range images {
		frames = append(frames, framesOf(t, image, path, 0, 7, 30)...)
	}
	n := naming.New(naming.Limits{Memory: 1 << 40})
	defer n.Close()
	want, err := n.Name(frames[:1], naming.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			got, err := n.Name(frames, naming.Options{Workers: i})
			if err != nil || !reflect.DeepEqual(got[0], want[0]) {
				t.Errorf("%v, %v, want %v", got[0], err, want[0])
			}
		})
	}
	wait.Wait()
	for i, image := range images {
		if image.opened.Load() != 1 {
			t.Errorf("image %d was opened %d times", i, image.opened.Load())
		}
	}
}

// An overwrittenImage is overwritten while its frames are named.
type overwrittenImage struct {
	countedImage
	intact bool
}

func (i *overwrittenImage) Open() (*naming.Source, error) {
	s, err := i.countedImage.Open()
	if err == nil {
		s.Intact = func() bool { return i.intact }
	}
	return s, err
}

// Frames of an image that was overwritten get no names, not those of its new contents.
func TestOverwritten(t *testing.T) {
	path, offset := program(t)
	pc := offset(reflect.ValueOf(TestOverwritten).Pointer())
	for _, intact := range []bool{true, false} {
		image := &overwrittenImage{countedImage: countedImage{path: path}, intact: intact}
		n := naming.New(naming.Limits{})
		calls, err := n.Name([]naming.Frame{{Image: image, Offset: pc}}, naming.Options{})
		if err != nil || (len(calls[0]) > 0) != intact {
			t.Errorf("intact %t: %v, %v", intact, calls, err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}
