package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A binaryPath is a program or library that an event names.
type binaryPath struct {
	shown    string // path as the user or the process knows it
	resolved string // the same, symbolic links resolved
	root     string // directory that both are under: "" or /proc/PID/root
	open     string // the file to open: resolved under root
}

// fileRoot is the directory that the looked-up process's files are under.
func (r *Resolver) fileRoot() string {
	if r.opt.PID == 0 {
		return r.opt.Root
	}
	return r.path("/proc/" + strconv.Itoa(r.opt.PID) + "/root")
}

// findBinary finds the file that an event names by path, soname or short name.
func (r *Resolver) findBinary(ev *Event) (*binaryPath, error) {
	name := ev.Binary
	if strings.Contains(name, "/") {
		return r.binaryByPath(ev, name)
	}
	for _, find := range []func(string) (string, error){r.mappedBinary, r.cachedLibrary, r.defaultLibrary, r.program} {
		found, err := find(name)
		if err != nil {
			return nil, err
		}
		if found == "" {
			continue
		}
		b, err := r.locate(r.fileRoot(), found)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, binaryError(ev, err)
		}
	}
	e := &NotFoundError{Event: ev.Text, Reason: fmt.Sprintf("no library or program %q in the linker's cache, the default directories and $PATH: give its path", name)}
	near := newNearest(name)
	for _, l := range r.libraries() {
		stem, _, _ := strings.Cut(l.name, ".so")
		near.add(stem)
		near.add(l.name)
	}
	e.Nearest = near.names()
	return nil, e
}

func (r *Resolver) binaryByPath(ev *Event, name string) (*binaryPath, error) {
	root := r.fileRoot()
	if !filepath.IsAbs(name) {
		absolute, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		name, root = absolute, ""
	}
	b, err := r.locate(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		e := &NotFoundError{Event: ev.Text, Reason: "no such file: " + name}
		if siblings, err := os.ReadDir(filepath.Join(root, filepath.Dir(name))); err == nil {
			near := newNearest(filepath.Base(name))
			for _, s := range siblings {
				near.add(s.Name())
			}
			e.Nearest = near.names()
		}
		return nil, e
	}
	if err != nil {
		return nil, binaryError(ev, err)
	}
	return b, nil
}

// binaryError says what an event has to do with a file that cannot be read.
func binaryError(ev *Event, err error) error {
	var p *fs.PathError
	if errors.Is(err, fs.ErrPermission) && errors.As(err, &p) {
		return &PermissionError{What: "reading " + p.Path, Need: "root (or read access to the file)"}
	}
	return &InvalidError{ev.Text, err.Error()}
}

// locate resolves the symbolic links of a path under a root. The result is under
// no root where that is the same file: it then outlives the process.
func (r *Resolver) locate(root, name string) (*binaryPath, error) {
	resolved, err := resolveLinks(root, name)
	if err != nil {
		return nil, err
	}
	b := &binaryPath{shown: name, resolved: resolved, root: root, open: filepath.Join(root, resolved)}
	info, err := os.Stat(b.open)
	if err != nil {
		return nil, err
	}
	if plain, err := os.Stat(resolved); err == nil && os.SameFile(info, plain) {
		b.open, b.root = resolved, ""
	}
	return b, nil
}

// maxLinks is how many symbolic links the kernel follows: MAXSYMLINKS.
const maxLinks = 40

// resolveLinks resolves the symbolic links of an absolute path as a process does
// whose root directory is root: absolute links start there, and .. stops there. The
// result is the path under the root.
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

// mappings reads what the process has mapped.
func (r *Resolver) mappings() ([]Mapping, error) {
	f, err := os.Open(r.path("/proc/" + strconv.Itoa(r.opt.PID) + "/maps"))
	if errors.Is(err, fs.ErrPermission) {
		return nil, &PermissionError{What: fmt.Sprintf("reading the mappings of process %d", r.opt.PID), Need: "root or CAP_SYS_PTRACE"}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the mappings of process %d: %w", r.opt.PID, err)
	}
	defer f.Close()
	return ReadMaps(f)
}

// mappedPrograms returns the paths of the files that the process has mapped for execution.
func (r *Resolver) mappedPrograms() ([]string, error) {
	maps, err := r.mappings()
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

// mappedBinary finds a file that the process has mapped.
func (r *Resolver) mappedBinary(name string) (string, error) {
	if r.opt.PID == 0 {
		return "", nil
	}
	maps, err := r.mappings()
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

// isShortName reports whether a name stands for a library's file: libc for
// libc.so.6 and for libc-2.31.so.
func isShortName(name, base string) bool {
	rest, ok := strings.CutPrefix(base, name)
	if !ok || !strings.Contains(rest, ".so") {
		return false
	}
	return strings.HasPrefix(rest, ".so") || len(rest) > 1 && rest[0] == '-' && startsWithDigit(rest[1:])
}

// cachedLibrary finds a library in the dynamic linker's cache: the soname, or else
// the highest version of the short name.
func (r *Resolver) cachedLibrary(name string) (string, error) {
	best := library{}
	for _, l := range r.libraries() {
		if l.name == name {
			return l.path, nil
		}
		if isShortName(name, l.name) && (best.path == "" || versionLess(best.name, l.name)) {
			best = l
		}
	}
	return best.path, nil
}

// SharedLibrary returns the path of the library that a program's dynamic linker
// takes for a name, "" if none is found where libraries are kept.
func (r *Resolver) SharedLibrary(name string) string {
	if found, err := r.cachedLibrary(name); err == nil && found != "" {
		return found
	}
	found, err := r.defaultLibrary(name)
	if err != nil {
		return ""
	}
	return found
}

// versionLess orders names as people do: libssl.so.1.1 before libssl.so.3, and
// numbers by value.
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

func leadingDigits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}

// defaultLibrary finds a library where the dynamic linker looks without a cache,
// and where distributions keep those of the machine's architecture.
func (r *Resolver) defaultLibrary(name string) (string, error) {
	dirs := []string{"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"}
	for _, triplet := range []string{"x86_64-linux-gnu", "aarch64-linux-gnu"} {
		dirs = append(dirs, "/lib/"+triplet, "/usr/lib/"+triplet)
	}
	best := ""
	for _, dir := range dirs {
		resolved, err := resolveLinks(r.fileRoot(), dir)
		if err != nil {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(r.fileRoot(), resolved))
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

// program finds a program as a shell does.
func (r *Resolver) program(name string) (string, error) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		found := filepath.Join(dir, name)
		if !filepath.IsAbs(found) {
			continue
		}
		resolved, err := resolveLinks(r.fileRoot(), found)
		if err != nil {
			continue
		}
		if info, err := os.Stat(filepath.Join(r.fileRoot(), resolved)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return found, nil
		}
	}
	return "", nil
}
