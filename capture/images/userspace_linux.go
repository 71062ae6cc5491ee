package images

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/locate"
	"trapline/capture/ring"
	"trapline/format"
	"trapline/internal/symbol"
)

// fileKey identifies a mapped file while the machine runs.
type fileKey struct {
	device uint32
	inode  uint64
}

// UserSpace finds the image behind a user address. A file's identity comes with
// the hit; its name comes from the mapping's perf event, which precedes the
// hit, or from /proc/PID/maps for what was mapped before the recording.
type UserSpace struct {
	sideband *Sideband
	Files    map[fileKey]*Image
	byKey    map[uint64]*Image
	Vdso     *Image
	jit      *Image
	open     int // files kept open

	// What was found at addresses before, for frames whose mapping a program
	// could not look up.
	located map[spaceAddress]Location
	maps    map[uint64][]locate.Mapping // by address space; empty: the process was gone

	mirror *mappingMirror

	Added func(*Image) // nil, or told of files when they are first seen to be mapped
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

func NewUserSpace(s *Sideband) *UserSpace {
	return &UserSpace{
		sideband: s,
		Files:    make(map[fileKey]*Image),
		byKey:    make(map[uint64]*Image),
		located:  make(map[spaceAddress]Location),
		maps:     make(map[uint64][]locate.Mapping),
		mirror:   newMappingMirror(),
		Vdso:     &Image{Kind: format.ImageVDSO, Path: vdsoPath, Key: bpf.VDSOImage},
		jit:      &Image{Kind: format.ImageJIT, Path: "[anon]"},
	}
}

// Scan takes in what processes have mapped now: a hit of theirs may be looked at
// only after they have ended. With no processes given, it takes all.
func (m *UserSpace) Scan(pids []uint32) {
	if len(pids) == 0 {
		entries, _ := os.ReadDir("/proc")
		for _, e := range entries {
			if pid, err := strconv.ParseUint(e.Name(), 10, 32); err == nil {
				pids = append(pids, uint32(pid))
			}
		}
	}
	for _, pid := range pids {
		var maps []Mapped
		for _, p := range ProcessMaps(pid) {
			if !strings.Contains(p.Perm, "x") {
				continue
			}
			var i *Image
			if key := (fileKey{uint32(p.Device), p.Inode}); p.Inode != 0 {
				if i = m.Files[key]; i == nil {
					i = m.add(pid, key, p.Path, p.Start, p.End)
				}
			}
			maps = append(maps, Mapped{p, i})
		}
		m.mirror.set(pid, maps)
	}
}

// OpenPath takes in a file that is going to be mapped by a process. nil: it cannot be read.
func (m *UserSpace) OpenPath(pid uint32, path string) *Image {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return nil
	}
	key := fileKey{deviceOf(&st), st.Ino}
	if i := m.Files[key]; i != nil {
		return i
	}
	return m.add(pid, key, path, 0, 0)
}

// Find implements locator.
func (m *UserSpace) Find(s *ring.Stack, f ring.UserFrame) (l Location, code bool) {
	key := spaceAddress{s.Space, f.Address}
	switch {
	case f.NoCode:
		return l, false
	case f.Known && f.Inode != 0:
		return Location{m.keyed(s.PID, f), f.Offset}, true
	case f.Known && f.Device == bpf.VDSODevice:
		return Location{m.Vdso, f.Offset}, true
	case f.Known:
		return Location{m.jit, f.Address}, true
	default:
		// The program could not look: the mmap lock was held, or the kernel is too old.
		if l, ok := m.located[key]; ok {
			return l, true
		}
		if l, code = m.Locate(s.PID, s.Space, s.Time, f.Address); !code {
			return l, false
		}
	}
	if len(m.located) >= maxLocated {
		clear(m.located)
	}
	m.located[key] = l
	return l, true
}

// Locate finds what a process had mapped at an address at a time. space names its
// address space.
func (m *UserSpace) Locate(pid uint32, space, time, address uint64) (l Location, code bool) {
	m.Poll()
	p, known := m.mirror.at(pid, address, time)
	if !known {
		// One CPU's reports were read before another's, which may have those of the process that forked it.
		m.Poll()
		p, known = m.mirror.at(pid, address, time)
	}
	if !known {
		p, known = m.listed(pid, space, address)
	}
	switch {
	case !known: // it is gone
		return Location{nil, address}, address>>56 == 0
	case p == nil || !strings.Contains(p.Perm, "x"):
		return l, false
	case p.Image != nil:
		return Location{p.Image, address - p.Start + p.Offset}, true
	case p.Inode != 0:
		return Location{m.file(pid, fileKey{uint32(p.Device), p.Inode}, address), address - p.Start + p.Offset}, true
	case p.Path == vdsoPath:
		return Location{m.Vdso, address - p.Start}, true
	default:
		return Location{m.jit, address}, true
	}
}

// listed looks an address up in /proc/PID/maps: read once for as long as an
// address space's mappings do not change.
func (m *UserSpace) listed(pid uint32, space, address uint64) (p *Mapped, known bool) {
	maps, ok := m.maps[space]
	if !ok {
		if len(m.maps) >= maxMaps {
			clear(m.maps)
		}
		maps = ProcessMaps(pid)
		m.maps[space] = maps
	}
	for i := range maps {
		if address-maps[i].Start < maps[i].End-maps[i].Start {
			return &Mapped{Mapping: maps[i]}, true
		}
	}
	return nil, len(maps) > 0
}

// keyed finds the image of a frame by the key of its content: another than the
// one known by its inode if the file was written anew.
func (m *UserSpace) keyed(pid uint32, f ring.UserFrame) *Image {
	key := fileKey{f.Device, f.Inode}
	if f.Image == 0 {
		return m.file(pid, key, f.Address)
	}
	if i := m.byKey[f.Image]; i != nil {
		return i
	}
	i := m.file(pid, key, f.Address)
	if i.sure && i.Key != f.Image {
		// Written anew since, or before: look at what is mapped.
		delete(m.Files, key)
		if i = m.file(pid, key, f.Address); i.sure && i.Key != f.Image {
			i = &Image{Kind: format.ImageUnknown, Path: i.Path, Device: key.device, Inode: key.inode}
		}
	}
	i.Key, i.guessed = f.Image, false
	m.byKey[f.Image] = i
	return i
}

// MappedFile returns the image in a mapping that a process has of a file.
func (m *UserSpace) MappedFile(pid uint32, p locate.Mapping) *Image {
	return m.file(pid, fileKey{uint32(p.Device), p.Inode}, p.Start)
}

func (m *UserSpace) file(pid uint32, key fileKey, address uint64) *Image {
	if i := m.Files[key]; i != nil {
		return i
	}
	m.Poll()
	if i := m.Files[key]; i != nil {
		return i
	}
	for _, p := range ProcessMaps(pid) {
		// By address as well: stacked file systems show another inode than the mapped file's.
		if p.Inode == 0 || (fileKey{uint32(p.Device), p.Inode}) != key && (address < p.Start || address >= p.End) {
			continue
		}
		return m.add(pid, key, p.Path, p.Start, p.End)
	}
	i := &Image{Kind: format.ImageUnknown, Path: fmt.Sprintf("[inode %d]", key.inode), Device: key.device, Inode: key.inode}
	m.Files[key] = i
	return i
}

// Poll takes in the mappings reported since the last call.
func (m *UserSpace) Poll() {
	m.sideband.read(func(r mapRecord) {
		var i *Image
		if r.what == mappedFile && r.inode != 0 {
			i = m.reported(r)
		}
		m.mirror.take(r, i)
	})
	m.mirror.forget()
}

// reported returns the image in a mapping that was reported: a new one if its file
// has been written anew since it was known.
func (m *UserSpace) reported(r mapRecord) *Image {
	key := fileKey{r.device, r.inode}
	known := m.Files[key]
	if known != nil && (known.Path == r.path || known.segment != 0 || known.Key != 0) && !(known.sure && rewritten(known, r)) {
		return known
	}
	return m.add(r.pid, key, r.path, r.start, r.start+r.size)
}

// rewritten reports whether the file at a mapping's path has other content than the image.
func rewritten(known *Image, r mapRecord) bool {
	for _, root := range []string{fmt.Sprintf("/proc/%d/root", r.pid), ""} {
		var st unix.Stat_t
		if unix.Stat(filepath.Join(root, r.path), &st) == nil && st.Ino == r.inode {
			return contentKey(&st) != known.Key
		}
	}
	return false
}

// add opens a mapped file and reads its build ID.
func (m *UserSpace) add(pid uint32, key fileKey, path string, start, end uint64) *Image {
	i := &Image{Kind: format.ImageELF, Path: strings.TrimSuffix(path, " (deleted)"), Device: key.device, Inode: key.inode}
	if i.Path == "//anon" || strings.HasPrefix(i.Path, "/memfd:") || strings.HasPrefix(i.Path, "/dev/zero") {
		i.Kind = format.ImageJIT
	}
	m.Files[key] = i
	file, root := openMapped(pid, i.Path, start, end, key)
	i.Root = root
	if file == nil {
		return i
	}
	var st unix.Stat_t
	if unix.Fstat(int(file.Fd()), &st) == nil {
		i.Key, i.guessed = contentKey(&st), true
		i.sure = deviceOf(&st) == key.device
		if m.byKey[i.Key] == nil {
			m.byKey[i.Key] = i
		}
	}
	if id, err := symbol.ReadBuildID(file); err == nil {
		i.BuildID = id
	}
	if m.open >= maxOpenImages {
		file.Close()
		return i
	}
	m.open++
	i.File = file
	if m.Added != nil {
		m.Added(i)
	}
	return i
}

func (m *UserSpace) Close() {
	for _, i := range m.Files {
		if i.File != nil {
			i.File.Close()
		}
	}
}
