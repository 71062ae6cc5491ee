package locate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"trapline/capture/event"
	"trapline/internal/nearest"
)

// A File is a program or library on this machine.
type File struct {
	Shown    string // path as the user or the process sees it
	Resolved string // path with symbolic links resolved
	Root     string // root directory of both paths: "" or /proc/PID/root
	Open     string // the file to open: Resolved under Root
}

// A Finder finds files as a process sees them, or as this machine does. It reads the
// linker's cache only once. It is not safe for concurrent use.
type Finder struct {
	root      string
	pid       int
	libraries func() []library
}

// New returns a Finder for the process pid, or for the whole machine if pid is 0. It
// prefixes every path with root; "" means the machine's own root.
func New(root string, pid int) *Finder {
	f := &Finder{root: root, pid: pid}
	f.libraries = sync.OnceValue(func() []library { return readLibraries(f.fileRoot()) })
	return f
}

// fileRoot is the root directory of the process's files.
func (f *Finder) fileRoot() string {
	if f.pid == 0 {
		return f.root
	}
	return f.proc("root")
}

// proc returns the path of a file in the process's /proc directory.
func (f *Finder) proc(name string) string {
	return ProcessDirectory(f.root, f.pid) + "/" + name
}

// Find returns the file that a path, soname or short name stands for. Errors are of type
// [event.NotFoundError] or [event.InvalidError], both without the event, or
// [event.PermissionError], or report that the mappings cannot be read.
func (f *Finder) Find(name string) (*File, error) {
	if strings.Contains(name, "/") {
		return f.byPath(name)
	}
	for _, find := range []func(string) (string, error){f.mappedFile, f.cachedLibrary, f.defaultLibrary, f.program} {
		found, err := find(name)
		if err != nil {
			return nil, err
		}
		if found == "" {
			continue
		}
		file, err := f.locate(f.fileRoot(), found)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, ReadError(err)
		}
	}
	e := &event.NotFoundError{Reason: fmt.Sprintf("no library or program %q in the linker's cache, the default directories and $PATH: give its path", name)}
	near := nearest.To(name)
	for _, l := range f.libraries() {
		stem, _, _ := strings.Cut(l.name, ".so")
		near.Add(stem)
		near.Add(l.name)
	}
	e.Nearest = near.Names()
	return nil, e
}

func (f *Finder) byPath(name string) (*File, error) {
	root := f.fileRoot()
	if !filepath.IsAbs(name) {
		absolute, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		name, root = absolute, ""
	}
	b, err := f.locate(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		e := &event.NotFoundError{Reason: "no such file: " + name}
		if siblings, err := os.ReadDir(filepath.Join(root, filepath.Dir(name))); err == nil {
			near := nearest.To(filepath.Base(name))
			for _, s := range siblings {
				near.Add(s.Name())
			}
			e.Nearest = near.Names()
		}
		return nil, e
	}
	if err != nil {
		return nil, ReadError(err)
	}
	return b, nil
}

// ReadError explains an error about reading a file.
func ReadError(err error) error {
	var p *fs.PathError
	if errors.Is(err, fs.ErrPermission) && errors.As(err, &p) {
		return &event.PermissionError{What: "reading " + p.Path, Need: "root (or read access to the file)"}
	}
	return &event.InvalidError{Reason: err.Error()}
}

// locate resolves the symbolic links of a path under a root. If the result is the same
// file without the root, it drops the root: the path is then valid after the process has
// exited.
func (f *Finder) locate(root, name string) (*File, error) {
	resolved, err := resolveLinks(root, name)
	if err != nil {
		return nil, err
	}
	b := &File{Shown: name, Resolved: resolved, Root: root, Open: filepath.Join(root, resolved)}
	info, err := os.Stat(b.Open)
	if err != nil {
		return nil, err
	}
	if plain, err := os.Stat(resolved); err == nil && os.SameFile(info, plain) {
		b.Open, b.Root = resolved, ""
	}
	return b, nil
}

// maxLinks is the number of symbolic links that the kernel follows: MAXSYMLINKS.
const maxLinks = 40

// resolveLinks resolves the symbolic links of an absolute path like a process with the
// given root directory: absolute links start at the root, and .. does not leave it. The
// result is relative to the root.
func resolveLinks(root, name string) (string, error) {
	if root == "" {
		return filepath.EvalSymlinks(name)
	}
	at := "/"
	rest := strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." || part == ".." {
			at = path.Join(at, part)
			continue
		}
		next := path.Join(at, part)
		info, err := os.Lstat(root + next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s: too many symbolic links", name)
		}
		target, err := os.Readlink(root + next)
		if err != nil {
			return "", err
		}
		if path.IsAbs(target) {
			at = "/"
		}
		rest = slices.Concat(strings.Split(target, "/"), rest)
	}
	return at, nil
}

// mappings returns the mappings of the process.
func (f *Finder) mappings() ([]Mapping, error) {
	maps, err := os.Open(f.proc("maps"))
	if errors.Is(err, fs.ErrPermission) {
		return nil, &event.PermissionError{What: fmt.Sprintf("reading the mappings of process %d", f.pid), Need: "root or CAP_SYS_PTRACE"}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the mappings of process %d: %w", f.pid, err)
	}
	defer maps.Close()
	return ReadMaps(maps)
}

// Mapped returns the paths of the files that the process has mapped as executable.
func (f *Finder) Mapped() ([]string, error) {
	maps, err := f.mappings()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, m := range maps {
		if strings.HasPrefix(m.Path, "/") && strings.Contains(m.Perm, "x") && !slices.Contains(paths, m.Path) {
			paths = append(paths, m.Path)
		}
	}
	return paths, nil
}

// mappedFile finds a file among the mappings of the process.
func (f *Finder) mappedFile(name string) (string, error) {
	if f.pid == 0 {
		return "", nil
	}
	maps, err := f.mappings()
	if err != nil {
		return "", err
	}
	short := ""
	for _, m := range maps {
		if !strings.HasPrefix(m.Path, "/") || strings.HasSuffix(m.Path, " (deleted)") {
			continue
		}
		switch base := path.Base(m.Path); {
		case base == name:
			return m.Path, nil
		case short == "" && isShortName(name, base):
			short = m.Path
		}
	}
	return short, nil
}

// isShortName reports whether name is short for a library's file: libc for libc.so.6 and
// for libc-2.31.so.
func isShortName(name, base string) bool {
	rest, ok := strings.CutPrefix(base, name)
	if !ok || !strings.Contains(rest, ".so") {
		return false
	}
	return strings.HasPrefix(rest, ".so") || len(rest) > 1 && rest[0] == '-' && isDigit(rest[1])
}

// cachedLibrary finds a library in the dynamic linker's cache by its soname, or the
// highest version of a short name.
func (f *Finder) cachedLibrary(name string) (string, error) {
	best := library{}
	for _, l := range f.libraries() {
		if l.name == name {
			return l.path, nil
		}
		if isShortName(name, l.name) && (best.path == "" || versionLess(best.name, l.name)) {
			best = l
		}
	}
	return best.path, nil
}

// SharedLibrary returns the path of the library that the dynamic linker loads for a name,
// or "".
func (f *Finder) SharedLibrary(name string) string {
	if found, err := f.cachedLibrary(name); err == nil && found != "" {
		return found
	}
	found, err := f.defaultLibrary(name)
	if err != nil {
		return ""
	}
	return found
}

// versionLess orders versions by the value of their numbers: libssl.so.1.1 before
// libssl.so.3 before libssl.so.10.
func versionLess(a, b string) bool {
	for a != "" && b != "" {
		n, m := leadingDigits(a), leadingDigits(b)
		if n > 0 && m > 0 {
			x, y := strings.TrimLeft(a[:n], "0"), strings.TrimLeft(b[:m], "0")
			if len(x) != len(y) {
				return len(x) < len(y)
			}
			if x != y {
				return x < y
			}
			a, b = a[n:], b[m:]
			continue
		}
		if a[0] != b[0] {
			return a[0] < b[0]
		}
		a, b = a[1:], b[1:]
	}
	return len(a) < len(b)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func leadingDigits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}

// defaultLibrary finds a library where the dynamic linker looks without a cache, and in
// the distributions' directories for the machine's architecture.
func (f *Finder) defaultLibrary(name string) (string, error) {
	dirs := []string{"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"}
	for _, triplet := range []string{"x86_64-linux-gnu", "aarch64-linux-gnu"} {
		dirs = append(dirs, "/lib/"+triplet, "/usr/lib/"+triplet)
	}
	best := ""
	for _, dir := range dirs {
		resolved, err := resolveLinks(f.fileRoot(), dir)
		if err != nil {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(f.fileRoot(), resolved))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.Name() == name && strings.Contains(name, ".so") {
				return path.Join(dir, name), nil
			}
			if isShortName(name, e.Name()) && (best == "" || versionLess(path.Base(best), e.Name())) {
				best = path.Join(dir, e.Name())
			}
		}
	}
	return best, nil
}

// program finds a program in $PATH.
func (f *Finder) program(name string) (string, error) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		found := filepath.Join(dir, name)
		if !filepath.IsAbs(found) {
			continue
		}
		resolved, err := resolveLinks(f.fileRoot(), found)
		if err != nil {
			continue
		}
		if info, err := os.Stat(filepath.Join(f.fileRoot(), resolved)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return found, nil
		}
	}
	return "", nil
}
