package images

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/locate"
	"trapline/capture/ring"
	"trapline/format"
)

// UserSpace finds the image behind a user address. A file's identity comes with
// the hit; its name comes from the mapping's perf event, which precedes the
// hit, or from /proc/PID/maps for what was mapped before the recording.
type UserSpace struct {
	sideband  sideband
	files     fileTable
	mirror    *mappingMirror
	vdso, jit *Image

	// What was found at addresses before, for frames whose mapping a program
	// could not look up.
	located map[spaceAddress]Location
	listed  map[uint64][]locate.Mapping // by address space; empty: the process was gone
}

// A spaceAddress is an address in an address space whose executable mappings did not change.
type spaceAddress struct{ space, address uint64 }

const (
	maxLocated = 1 << 18
	maxListed  = 1 << 10
)

// A Moment is when a process had mapped what is asked for.
type Moment struct {
	PID   uint32
	Space uint64 // names its address space and what was mapped there
	Time  uint64 // ns, CLOCK_MONOTONIC
}

// NewUserSpace returns one that knows of no process yet.
func NewUserSpace() *UserSpace {
	return &UserSpace{
		files:   newFileTable(),
		mirror:  newMappingMirror(),
		vdso:    &Image{Kind: format.ImageVDSO, Path: vdsoPath, Key: bpf.VDSOImage},
		jit:     &Image{Kind: format.ImageJIT, Path: "[anon]"},
		located: make(map[spaceAddress]Location),
		listed:  make(map[uint64][]locate.Mapping),
	}
}

// Open has the kernel report mappings from now on, on the CPUs that are online.
func (m *UserSpace) Open(cpus []int) error { return m.sideband.open(cpus) }

// Scan takes in what processes have mapped now: a hit of theirs may be looked at
// only after they have ended. With no processes given, it takes all.
func (m *UserSpace) Scan(pids []uint32) {
	if len(pids) == 0 {
		pids = allProcesses()
	}
	for _, pid := range pids {
		var maps []mapped
		for _, p := range ProcessMaps(pid) {
			if !strings.Contains(p.Perm, "x") {
				continue
			}
			var i *Image
			if key := (fileKey{uint32(p.Device), p.Inode}); p.Inode != 0 {
				if i = m.files.files[key]; i == nil {
					i = m.files.add(pid, key, p.Path, p.Start, p.End)
				}
			}
			maps = append(maps, mapped{p, i})
		}
		m.mirror.set(pid, maps)
	}
}

func allProcesses() (pids []uint32) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.ParseUint(e.Name(), 10, 32); err == nil {
			pids = append(pids, uint32(pid))
		}
	}
	return pids
}

// OpenPath takes in a file that is going to be mapped by a process. nil: it cannot be read.
func (m *UserSpace) OpenPath(pid uint32, path string) *Image {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return nil
	}
	key := fileKey{deviceOf(&st), st.Ino}
	if i := m.files.files[key]; i != nil {
		return i
	}
	return m.files.add(pid, key, path, 0, 0)
}

// VDSO returns the image of the code that the kernel maps into every process.
func (m *UserSpace) VDSO() *Image { return m.vdso }

// Follow calls f for all files known to be mapped, and for each that is mapped from
// now on.
func (m *UserSpace) Follow(f func(*Image)) {
	for _, i := range m.files.files {
		f(i)
	}
	m.files.added = f
}

// Lost is how many reports of mappings found no room.
func (m *UserSpace) Lost() uint64 { return m.sideband.lost }

// Find returns what a frame is a place of. It is asked soon after the hit; the frame
// holds what the program found mapped. code is false where nothing can be executed.
func (m *UserSpace) Find(at Moment, f ring.UserFrame) (l Location, code bool) {
	key := spaceAddress{at.Space, f.Address}
	switch {
	case f.NoCode:
		return l, false
	case f.Known && f.Inode != 0:
		return Location{m.keyed(at.PID, f), f.Offset}, true
	case f.Known && f.Device == bpf.VDSODevice:
		return Location{m.vdso, f.Offset}, true
	case f.Known:
		return Location{m.jit, f.Address}, true
	default:
		// The program could not look: the mmap lock was held, or the kernel is too old.
		if l, ok := m.located[key]; ok {
			return l, true
		}
		if l, code = m.Locate(at, f.Address); !code {
			return l, false
		}
	}
	if len(m.located) >= maxLocated {
		clear(m.located)
	}
	m.located[key] = l
	return l, true
}

// Locate finds what a process had mapped at an address.
func (m *UserSpace) Locate(at Moment, address uint64) (l Location, code bool) {
	m.Poll()
	p, known := m.mirror.at(at.PID, address, at.Time)
	if !known {
		// One CPU's reports were read before another's, which may have those of the process that forked it.
		m.Poll()
		p, known = m.mirror.at(at.PID, address, at.Time)
	}
	if !known {
		p, known = m.list(at, address)
	}
	switch {
	case !known: // it is gone
		return Location{nil, address}, address>>56 == 0
	case p == nil || !strings.Contains(p.Perm, "x"):
		return l, false
	case p.image != nil:
		return Location{p.image, address - p.Start + p.Offset}, true
	case p.Inode != 0:
		return Location{m.file(at.PID, fileKey{uint32(p.Device), p.Inode}, address), address - p.Start + p.Offset}, true
	case p.Path == vdsoPath:
		return Location{m.vdso, address - p.Start}, true
	default:
		return Location{m.jit, address}, true
	}
}

// list looks an address up in /proc/PID/maps: read once for as long as an
// address space's mappings do not change.
func (m *UserSpace) list(at Moment, address uint64) (p *mapped, known bool) {
	maps, ok := m.listed[at.Space]
	if !ok {
		if len(m.listed) >= maxListed {
			clear(m.listed)
		}
		maps = ProcessMaps(at.PID)
		m.listed[at.Space] = maps
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
func (m *UserSpace) keyed(pid uint32, f ring.UserFrame) *Image {
	key := fileKey{f.Device, f.Inode}
	if f.Image == 0 {
		return m.file(pid, key, f.Address)
	}
	if i := m.files.byKey[f.Image]; i != nil {
		return i
	}
	i := m.file(pid, key, f.Address)
	if i.sure && i.Key != f.Image {
		// Written anew since, or before: look at what is mapped.
		delete(m.files.files, key)
		if i = m.file(pid, key, f.Address); i.sure && i.Key != f.Image {
			i = &Image{Kind: format.ImageUnknown, Path: i.Path, Device: key.device, Inode: key.inode}
		}
	}
	i.Key = f.Image
	m.files.byKey[f.Image] = i
	return i
}

// MappedFile returns the image in a mapping that a process has of a file.
func (m *UserSpace) MappedFile(pid uint32, p locate.Mapping) *Image {
	return m.file(pid, fileKey{uint32(p.Device), p.Inode}, p.Start)
}

func (m *UserSpace) file(pid uint32, key fileKey, address uint64) *Image {
	if i := m.files.files[key]; i != nil {
		return i
	}
	m.Poll()
	if i := m.files.files[key]; i != nil {
		return i
	}
	for _, p := range ProcessMaps(pid) {
		// By address as well: stacked file systems show another inode than the mapped file's.
		if p.Inode == 0 || (fileKey{uint32(p.Device), p.Inode}) != key && (address < p.Start || address >= p.End) {
			continue
		}
		return m.files.add(pid, key, p.Path, p.Start, p.End)
	}
	return m.files.unknown(key)
}

// Poll takes in the mappings reported since the last call.
func (m *UserSpace) Poll() {
	m.sideband.read(func(r mapRecord) {
		var i *Image
		if r.what == mappedFile && r.inode != 0 {
			i = m.files.reported(r)
		}
		m.mirror.take(r, i)
	})
	m.mirror.forget()
}

// Close frees what is open. It may be called at any time.
func (m *UserSpace) Close() error { return errors.Join(m.sideband.close(), m.files.close()) }
