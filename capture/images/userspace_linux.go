package images

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/locate"
	"trapline/capture/ring"
	"trapline/format"
)

// UserSpace finds the image of a user address. The hit identifies the file. Its name
// comes from the report of the mapping, which precedes the hit, or from /proc/PID/maps if
// the file was mapped before the recording.
type UserSpace struct {
	sideband  sideband
	files     fileTable
	mirror    *mappingMirror
	reports   []mapRecord // of one Poll
	vdso, jit *Image

	// Results for frames whose mapping the BPF program could not look up.
	located map[spaceAddress]Location
	listed  map[uint64]listing // by address space
	clocks  uint64             // ns by which CLOCK_BOOTTIME was ahead of CLOCK_MONOTONIC at the start
}

// A spaceAddress is an address in a version of an address space: its executable mappings
// have not changed.
type spaceAddress struct{ space, address uint64 }

const (
	maxLocated = 1 << 18
	maxListed  = 1 << 10
)

// A Moment identifies the mappings of a process at a time.
type Moment struct {
	PID   uint32
	Space uint64 // identifies the address space and its executable mappings
	Time  uint64 // ns, CLOCK_MONOTONIC
}

// NewUserSpace returns a UserSpace that knows no process.
func NewUserSpace() *UserSpace {
	mirror := newMappingMirror()
	return &UserSpace{
		files:   newFileTable(mirror.parent),
		mirror:  mirror,
		vdso:    &Image{Kind: format.ImageVDSO, Path: vdsoPath, Key: bpf.VDSOImage},
		jit:     &Image{Kind: format.ImageJIT, Path: "[anon]"},
		located: make(map[spaceAddress]Location),
		listed:  make(map[uint64]listing),
		clocks:  bootClockLead(),
	}
}

// Open makes the kernel report mappings on the online CPUs.
func (m *UserSpace) Open(cpus []int) error { return m.sideband.open(cpus) }

// Scan records the current mappings of processes, because they may have ended before
// their hits are processed. Without pids it scans all processes.
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

// OpenPath adds a file that a process will map. It returns nil if the file cannot be
// read.
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

// VDSO returns the image of the vDSO.
func (m *UserSpace) VDSO() *Image { return m.vdso }

// Follow calls f for each known file and, later, for each new one.
func (m *UserSpace) Follow(f func(*Image)) {
	for _, i := range m.files.files {
		f(i)
	}
	m.files.added = f
}

// Lost returns the number of lost reports of mappings.
func (m *UserSpace) Lost() uint64 { return m.sideband.lost }

// Find returns the location of a frame. The frame contains what the BPF program found
// mapped. code is false if no code can be at its address.
func (m *UserSpace) Find(at Moment, f ring.UserFrame) (l Location, code bool) {
	key := spaceAddress{at.Space, f.Address}
	switch {
	case f.NoCode:
		return l, false
	case f.Known && f.Inode != 0:
		return Location{m.keyed(at, f), f.Offset}, true
	case f.Known && f.Device == bpf.VDSODevice:
		return Location{m.vdso, f.Offset}, true
	case f.Known:
		return Location{m.jit, f.Address}, true
	default:
		// The program could not look: the mmap lock was held, or the kernel is older than
		// 5.17.
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

// Locate returns the location of an address. code is false if no code can be there.
func (m *UserSpace) Locate(at Moment, address uint64) (l Location, code bool) {
	m.Poll()
	p, known := m.mirror.at(at.PID, address, at.Time)
	if !known {
		// The reports of the forking CPU may be newer than those read.
		m.Poll()
		p, known = m.mirror.at(at.PID, address, at.Time)
	}
	if !known {
		p, known = m.list(at, address)
	}
	switch {
	case !known: // the process has ended
		return Location{nil, address}, address>>56 == 0
	case p == nil || !strings.Contains(p.Perm, "x"):
		return l, false
	case p.image != nil:
		return Location{p.image, address - p.Start + p.Offset}, true
	case p.Inode != 0:
		return Location{m.file(at, fileKey{uint32(p.Device), p.Inode}, address), address - p.Start + p.Offset}, true
	case p.Path == vdsoPath:
		return Location{m.vdso, address - p.Start}, true
	default:
		return Location{m.jit, address}, true
	}
}

// list looks an address up in /proc/PID/maps, which is read once for each version of an
// address space. It believes /proc only if the process that it shows is the one of the
// moment, with the same program: the PID may have a new owner.
func (m *UserSpace) list(at Moment, address uint64) (p *mapped, known bool) {
	l, ok := m.listed[at.Space]
	if !ok {
		if len(m.listed) >= maxListed {
			clear(m.listed)
		}
		l = list(at.PID)
		m.Poll()
		if !m.shows(l, at) {
			l.maps = nil
		}
		m.listed[at.Space] = l
	}
	if len(l.maps) == 0 || !m.mirror.unchanged(at.PID, address, at.Time) {
		return nil, false
	}
	for i := range l.maps {
		if p := (&mapped{Mapping: l.maps[i]}); p.covers(address) {
			return p, true
		}
	}
	return nil, true
}

// shows reports whether a listing is of the process that owned the PID at a moment.
// Either that process was born before, or no end of it has been reported since.
func (m *UserSpace) shows(l listing, at Moment) bool {
	return len(l.maps) > 0 && (l.start <= at.Time+m.clocks ||
		len(m.sideband.events) > 0 && at.Time > m.mirror.forgotten && m.mirror.lives(at.PID, at.Time))
}

// keyed returns the image of a frame by its content key. It differs from the image known
// by inode if the file has been rewritten.
func (m *UserSpace) keyed(at Moment, f ring.UserFrame) *Image {
	key := fileKey{f.Device, f.Inode}
	if f.Image == 0 {
		return m.file(at, key, f.Address)
	}
	if i := m.files.byKey[f.Image]; i != nil {
		return i
	}
	i := m.file(at, key, f.Address)
	if !i.mayBe(key, f.Image) {
		// The file was rewritten, before or after: look at what is mapped.
		delete(m.files.files, key)
		if i = m.file(at, key, f.Address); i.sure && !i.mayBe(key, f.Image) {
			i = &Image{Kind: format.ImageUnknown, Path: i.Path, Device: key.device, Inode: key.inode}
		}
	}
	i.Key = f.Image
	m.files.byKey[f.Image] = i
	return i
}

// MappedFile returns the image of a file mapping of a process.
func (m *UserSpace) MappedFile(pid uint32, p locate.Mapping) *Image {
	return m.file(Moment{PID: pid}, fileKey{uint32(p.Device), p.Inode}, p.Start)
}

func (m *UserSpace) file(at Moment, key fileKey, address uint64) *Image {
	if i := m.files.files[key]; i != nil {
		return i
	}
	m.Poll()
	if i := m.files.files[key]; i != nil {
		return i
	}
	l := list(at.PID)
	m.Poll()
	// On stacked file systems, /proc shows a different inode than the mapped file's. Then
	// the address identifies the mapping, if the process is the same.
	same := m.shows(l, at) && m.mirror.unchanged(at.PID, address, at.Time)
	for _, p := range l.maps {
		if p.Inode == 0 || (fileKey{uint32(p.Device), p.Inode}) != key && !(same && address >= p.Start && address < p.End) {
			continue
		}
		return m.files.add(at.PID, key, p.Path, p.Start, p.End)
	}
	return m.files.unknown(key)
}

// Poll processes the mappings reported since the last call, in the order of time: a file
// may have to be opened through the process that forked the one that mapped it.
func (m *UserSpace) Poll() {
	m.reports = m.reports[:0]
	m.sideband.read(func(r mapRecord) { m.reports = append(m.reports, r) })
	slices.SortStableFunc(m.reports, func(a, b mapRecord) int { return cmp.Compare(a.time, b.time) })
	for _, r := range m.reports {
		var i *Image
		if r.what == mappedFile && r.inode != 0 {
			i = m.files.reported(r)
		}
		m.mirror.take(r, i)
	}
	m.mirror.forget()
}

// Close releases all resources. It may be called at any time.
func (m *UserSpace) Close() error { return errors.Join(m.sideband.close(), m.files.close()) }
