package images

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"trapline/capture/event"
	"trapline/capture/host"
)

// A mapRecord is one executable mapping as the kernel reported it,
// PERF_RECORD_MMAP2 in include/uapi/linux/perf_event.h, or what else changes the
// mappings of a process.
type mapRecord struct {
	what                mapChange
	time                uint64 // ns, CLOCK_MONOTONIC
	pid                 uint32
	parent              uint32 // of what forked
	start, size, offset uint64
	device              uint32 // major << 20 | minor, as in struct super_block
	inode               uint64
	path                string
}

type mapChange uint8

const (
	mappedFile   mapChange = iota
	begunProgram           // exec: all mappings are gone (PERF_RECORD_COMM)
	forked                 // the process begins with its parent's mappings (PERF_RECORD_FORK)
	ended                  // PERF_RECORD_EXIT of the first thread
)

// A Sideband listens for executable mappings on all CPUs through a dummy perf event each.
type Sideband struct {
	events []sidebandEvent
	Lost   uint64 // records that found no room
}

type sidebandEvent struct {
	fd  int
	mem []byte // struct perf_event_mmap_page, then the data
}

const vdsoPath = "[vdso]"

// sidebandPages is the size of each CPU's buffer in pages: some 2,000 mappings.
const sidebandPages = 64

func OpenSideband(cpus []int) (*Sideband, error) {
	s := &Sideband{}
	attr := unix.PerfEventAttr{
		Type:   unix.PERF_TYPE_SOFTWARE,
		Config: unix.PERF_COUNT_SW_DUMMY,
		// Every record then ends with its time.
		Sample_type: unix.PERF_SAMPLE_TIME,
		Clockid:     unix.CLOCK_MONOTONIC,
		Bits:        unix.PerfBitSampleIDAll | unix.PerfBitUseClockID | unix.PerfBitMmap | unix.PerfBitMmap2 | unix.PerfBitComm | unix.PerfBitCommExec | unix.PerfBitTask | unix.PerfBitWatermark,
		Wakeup:      sidebandPages * uint32(os.Getpagesize()) / 2,
	}
	attr.Size = uint32(unsafe.Sizeof(attr))
	for _, cpu := range cpus {
		fd, err := unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err != nil {
			s.Close()
			return nil, explainSideband(fmt.Errorf("perf_event_open for mappings on CPU %d: %w", cpu, err))
		}
		mem, err := unix.Mmap(fd, 0, (1+sidebandPages)*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			unix.Close(fd)
			s.Close()
			return nil, fmt.Errorf("map the buffer for mappings of CPU %d: %w", cpu, err)
		}
		s.events = append(s.events, sidebandEvent{fd, mem})
	}
	return s, nil
}

func (s *Sideband) Close() error {
	var errs []error
	for _, e := range s.events {
		errs = append(errs, unix.Munmap(e.mem), unix.Close(e.fd))
	}
	s.events = nil
	return errors.Join(errs...)
}

// read hands out all mappings reported since the last call.
func (s *Sideband) read(yield func(mapRecord)) {
	for _, e := range s.events {
		page := (*unix.PerfEventMmapPage)(unsafe.Pointer(&e.mem[0]))
		data := e.mem[os.Getpagesize():]
		head := atomic.LoadUint64(&page.Data_head)
		tail := page.Data_tail
		var buf []byte
		for tail+8 <= head {
			// A record may wrap: copy it out piece by piece.
			var header [8]byte
			copyRing(header[:], data, tail)
			size := uint64(binary.LittleEndian.Uint16(header[6:]))
			if size < 8 || tail+size > head {
				break
			}
			buf = append(buf[:0], make([]byte, size)...)
			copyRing(buf, data, tail)
			tail += size
			switch binary.LittleEndian.Uint32(header[:]) {
			case unix.PERF_RECORD_MMAP2:
				if m, ok := decodeMmap2(buf); ok {
					yield(m)
				}
			case unix.PERF_RECORD_COMM:
				if len(buf) >= 16 && binary.LittleEndian.Uint16(buf[4:])&unix.PERF_RECORD_MISC_COMM_EXEC != 0 {
					yield(mapRecord{what: begunProgram, time: recordTime(buf), pid: binary.LittleEndian.Uint32(buf[8:])})
				}
			case unix.PERF_RECORD_FORK:
				if r, ok := decodeTask(buf); ok && r.pid != r.parent {
					yield(r)
				}
			case unix.PERF_RECORD_EXIT:
				if r, ok := decodeTask(buf); ok && r.pid == binary.LittleEndian.Uint32(buf[16:]) {
					r.what = ended
					yield(r)
				}
			case unix.PERF_RECORD_LOST:
				if len(buf) >= 24 {
					s.Lost += binary.LittleEndian.Uint64(buf[16:])
				}
			}
		}
		atomic.StoreUint64(&page.Data_tail, tail)
	}
}

func copyRing(dst, ring []byte, at uint64) {
	from := int(at % uint64(len(ring)))
	n := copy(dst, ring[from:])
	copy(dst[n:], ring)
}

// recordTime is the time at the end of a record (struct sample_id).
func recordTime(b []byte) uint64 { return binary.LittleEndian.Uint64(b[len(b)-8:]) }

// decodeTask decodes a PERF_RECORD_FORK or PERF_RECORD_EXIT: header, pid, ppid, tid, ptid, time.
func decodeTask(b []byte) (mapRecord, bool) {
	if len(b) < 24 {
		return mapRecord{}, false
	}
	return mapRecord{what: forked, time: recordTime(b), pid: binary.LittleEndian.Uint32(b[8:]), parent: binary.LittleEndian.Uint32(b[12:])}, true
}

// decodeMmap2 decodes a PERF_RECORD_MMAP2 with the device and inode (not the build ID) in it.
func decodeMmap2(b []byte) (mapRecord, bool) {
	const pathAt = 72
	if len(b) <= pathAt || binary.LittleEndian.Uint16(b[4:])&unix.PERF_RECORD_MISC_MMAP_BUILD_ID != 0 {
		return mapRecord{}, false
	}
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	m := mapRecord{
		time:   recordTime(b),
		pid:    u32(b[8:]),
		start:  u64(b[16:]),
		size:   u64(b[24:]),
		offset: u64(b[32:]),
		device: u32(b[40:])<<20 | u32(b[44:])&(1<<20-1),
		inode:  u64(b[48:]),
	}
	path := b[pathAt:]
	if end := bytes.IndexByte(path, 0); end >= 0 {
		path = path[:end]
	}
	m.path = string(path)
	if prot := u32(b[64:]); prot&unix.PROT_EXEC == 0 {
		return mapRecord{}, false
	}
	return m, true
}

// explainSideband says why the kernel does not report mappings.
func explainSideband(err error) error {
	if !host.IsDenied(err) {
		return err
	}
	reason, remedy := host.EventDenied(host.Perfmon)
	return &event.PermissionError{What: "following mappings (perf_event_open)", Reason: reason, Remedy: remedy}
}
