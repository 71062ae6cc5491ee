package capture

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/probe"
	"trapline/capture/ring"
	"trapline/format"
	"trapline/internal/symbol"
)

// fileKey identifies a mapped file while the machine runs.
type fileKey struct {
	device uint32
	inode  uint64
}

// images finds the image behind a user address. A file's identity comes with
// the hit; its name comes from the mapping's perf event, which precedes the
// hit, or from /proc/PID/maps for what was mapped before the recording.
type images struct {
	sideband *sideband
	files    map[fileKey]*image
	byKey    map[uint64]*image
	vdso     *image
	jit      *image
	open     int // files kept open

	// What was found at addresses before, for frames whose mapping a program
	// could not look up.
	located map[spaceAddress]location
	maps    map[uint64][]probe.Mapping // by address space; empty: the process was gone

	mirror *mappingMirror

	added func(*image) // nil, or told of files when they are first seen to be mapped
}

// A spaceAddress is an address in an address space whose executable mappings did not change.
type spaceAddress struct{ space, address uint64 }

const (
	maxLocated = 1 << 18
	maxMaps    = 1 << 10
)

// maxOpenImages bounds the files kept open in case that they are deleted; images
// beyond it are opened by name when they are symbolized.
const maxOpenImages = 4096

func newImages(s *sideband) *images {
	return &images{
		sideband: s,
		files:    make(map[fileKey]*image),
		byKey:    make(map[uint64]*image),
		located:  make(map[spaceAddress]location),
		maps:     make(map[uint64][]probe.Mapping),
		mirror:   newMappingMirror(),
		vdso:     &image{kind: format.ImageVDSO, path: vdsoPath, key: bpf.VDSOImage},
		jit:      &image{kind: format.ImageJIT, path: "[anon]"},
	}
}

// scan takes in what processes have mapped now: a hit of theirs may be looked at
// only after they have ended. With no processes given, it takes all.
func (m *images) scan(pids []uint32) {
	if len(pids) == 0 {
		entries, _ := os.ReadDir("/proc")
		for _, e := range entries {
			if pid, err := strconv.ParseUint(e.Name(), 10, 32); err == nil {
				pids = append(pids, uint32(pid))
			}
		}
	}
	for _, pid := range pids {
		var maps []mapped
		for _, p := range processMaps(pid) {
			if !strings.Contains(p.Perm, "x") {
				continue
			}
			var i *image
			if key := (fileKey{uint32(p.Device), p.Inode}); p.Inode != 0 {
				if i = m.files[key]; i == nil {
					i = m.add(pid, key, p.Path, p.Start, p.End)
				}
			}
			maps = append(maps, mapped{p, i})
		}
		m.mirror.set(pid, maps)
	}
}

// openPath takes in a file that is going to be mapped by a process. nil: it cannot be read.
func (m *images) openPath(pid uint32, path string) *image {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return nil
	}
	key := fileKey{deviceOf(&st), st.Ino}
	if i := m.files[key]; i != nil {
		return i
	}
	return m.add(pid, key, path, 0, 0)
}

// user implements locator.
func (m *images) user(s *ring.Stack, f ring.UserFrame) (l location, code bool) {
	key := spaceAddress{s.Space, f.Address}
	switch {
	case f.NoCode:
		return l, false
	case f.Known && f.Inode != 0:
		return location{m.keyed(s.PID, f), f.Offset}, true
	case f.Known && f.Device == bpf.VDSODevice:
		return location{m.vdso, f.Offset}, true
	case f.Known:
		return location{m.jit, f.Address}, true
	default:
		// The program could not look: the mmap lock was held, or the kernel is too old.
		if l, ok := m.located[key]; ok {
			return l, true
		}
		if l, code = m.locate(s.PID, s.Space, s.Time, f.Address); !code {
			return l, false
		}
	}
	if len(m.located) >= maxLocated {
		clear(m.located)
	}
	m.located[key] = l
	return l, true
}

// locate finds what a process had mapped at an address at a time. space names its
// address space.
func (m *images) locate(pid uint32, space, time, address uint64) (l location, code bool) {
	m.poll()
	p, known := m.mirror.at(pid, address, time)
	if !known {
		// One CPU's reports were read before another's, which may have those of the process that forked it.
		m.poll()
		p, known = m.mirror.at(pid, address, time)
	}
	if !known {
		p, known = m.listed(pid, space, address)
	}
	switch {
	case !known: // it is gone
		return location{nil, address}, address>>56 == 0
	case p == nil || !strings.Contains(p.Perm, "x"):
		return l, false
	case p.image != nil:
		return location{p.image, address - p.Start + p.Offset}, true
	case p.Inode != 0:
		return location{m.file(pid, fileKey{uint32(p.Device), p.Inode}, address), address - p.Start + p.Offset}, true
	case p.Path == vdsoPath:
		return location{m.vdso, address - p.Start}, true
	default:
		return location{m.jit, address}, true
	}
}

// listed looks an address up in /proc/PID/maps: read once for as long as an
// address space's mappings do not change.
func (m *images) listed(pid uint32, space, address uint64) (p *mapped, known bool) {
	maps, ok := m.maps[space]
	if !ok {
		if len(m.maps) >= maxMaps {
			clear(m.maps)
		}
		maps = processMaps(pid)
		m.maps[space] = maps
	}
	for i := range maps {
		if address-maps[i].Start < maps[i].End-maps[i].Start {
			return &mapped{Mapping: maps[i]}, true
		}
	}
	return nil, len(maps) > 0
}

// keyed finds the image of a frame by the key of its content: another than the
// one known by its inode if the file was written anew.
func (m *images) keyed(pid uint32, f ring.UserFrame) *image {
	key := fileKey{f.Device, f.Inode}
	if f.Image == 0 {
		return m.file(pid, key, f.Address)
	}
	if i := m.byKey[f.Image]; i != nil {
		return i
	}
	i := m.file(pid, key, f.Address)
	if i.sure && i.key != f.Image {
		// Written anew since, or before: look at what is mapped.
		delete(m.files, key)
		if i = m.file(pid, key, f.Address); i.sure && i.key != f.Image {
			i = &image{kind: format.ImageUnknown, path: i.path, device: key.device, inode: key.inode}
		}
	}
	i.key, i.guessed = f.Image, false
	m.byKey[f.Image] = i
	return i
}

func (m *images) file(pid uint32, key fileKey, address uint64) *image {
	if i := m.files[key]; i != nil {
		return i
	}
	m.poll()
	if i := m.files[key]; i != nil {
		return i
	}
	for _, p := range processMaps(pid) {
		// By address as well: stacked file systems show another inode than the mapped file's.
		if p.Inode == 0 || (fileKey{uint32(p.Device), p.Inode}) != key && (address < p.Start || address >= p.End) {
			continue
		}
		return m.add(pid, key, p.Path, p.Start, p.End)
	}
	i := &image{kind: format.ImageUnknown, path: fmt.Sprintf("[inode %d]", key.inode), device: key.device, inode: key.inode}
	m.files[key] = i
	return i
}

// poll takes in the mappings reported since the last call.
func (m *images) poll() {
	m.sideband.read(func(r mmapRecord) {
		var i *image
		if r.what == mappedFile && r.inode != 0 {
			i = m.reported(r)
		}
		m.mirror.take(r, i)
	})
	m.mirror.forget()
}

// reported returns the image in a mapping that was reported: a new one if its file
// has been written anew since it was known.
func (m *images) reported(r mmapRecord) *image {
	key := fileKey{r.device, r.inode}
	known := m.files[key]
	if known != nil && (known.path == r.path || known.segment != 0 || known.key != 0) && !(known.sure && rewritten(known, r)) {
		return known
	}
	return m.add(r.pid, key, r.path, r.start, r.start+r.size)
}

// rewritten reports whether the file at a mapping's path has other content than the image.
func rewritten(known *image, r mmapRecord) bool {
	for _, root := range []string{fmt.Sprintf("/proc/%d/root", r.pid), ""} {
		var st unix.Stat_t
		if unix.Stat(filepath.Join(root, r.path), &st) == nil && st.Ino == r.inode {
			return contentKey(&st) != known.key
		}
	}
	return false
}

// add opens a mapped file and reads its build ID.
func (m *images) add(pid uint32, key fileKey, path string, start, end uint64) *image {
	i := &image{kind: format.ImageELF, path: strings.TrimSuffix(path, " (deleted)"), device: key.device, inode: key.inode}
	if i.path == "//anon" || strings.HasPrefix(i.path, "/memfd:") || strings.HasPrefix(i.path, "/dev/zero") {
		i.kind = format.ImageJIT
	}
	m.files[key] = i
	file, root := openMapped(pid, i.path, start, end, key)
	i.root = root
	if file == nil {
		return i
	}
	var st unix.Stat_t
	if unix.Fstat(int(file.Fd()), &st) == nil {
		i.key, i.guessed = contentKey(&st), true
		i.sure = deviceOf(&st) == key.device
		if m.byKey[i.key] == nil {
			m.byKey[i.key] = i
		}
	}
	if id, err := symbol.ReadBuildID(file); err == nil {
		i.buildID = id
	}
	if m.open >= maxOpenImages {
		file.Close()
		return i
	}
	m.open++
	i.file = file
	if m.added != nil {
		m.added(i)
	}
	return i
}

func (m *images) close() {
	for _, i := range m.files {
		if i.file != nil {
			i.file.Close()
		}
	}
}
