package images

import (
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

// A sideband receives reports of executable mappings from a dummy perf event on each CPU.
type sideband struct {
	events []sidebandEvent
	lost   uint64 // records dropped for lack of space
}

type sidebandEvent struct {
	fd  int
	mem []byte // struct perf_event_mmap_page, then the data
}

// sidebandPages is the size of each CPU's buffer in pages, enough for about 2,000
// mappings.
const sidebandPages = 64

// open starts listening on the online CPUs.
func (s *sideband) open(cpus []int) error {
	attr := unix.PerfEventAttr{
		Type:   unix.PERF_TYPE_SOFTWARE,
		Config: unix.PERF_COUNT_SW_DUMMY,
		// Puts the time at the end of every record.
		Sample_type: unix.PERF_SAMPLE_TIME,
		Clockid:     unix.CLOCK_MONOTONIC,
		Bits:        unix.PerfBitSampleIDAll | unix.PerfBitUseClockID | unix.PerfBitMmap | unix.PerfBitMmap2 | unix.PerfBitComm | unix.PerfBitCommExec | unix.PerfBitTask | unix.PerfBitWatermark,
		Wakeup:      sidebandPages * uint32(os.Getpagesize()) / 2,
	}
	attr.Size = uint32(unsafe.Sizeof(attr))
	for _, cpu := range cpus {
		fd, err := unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err != nil {
			s.close()
			return explainSideband(fmt.Errorf("perf_event_open for mappings on CPU %d: %w", cpu, err))
		}
		mem, err := unix.Mmap(fd, 0, (1+sidebandPages)*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			unix.Close(fd)
			s.close()
			return fmt.Errorf("map the buffer for mappings of CPU %d: %w", cpu, err)
		}
		s.events = append(s.events, sidebandEvent{fd, mem})
	}
	return nil
}

func (s *sideband) close() error {
	var errs []error
	for _, e := range s.events {
		errs = append(errs, unix.Munmap(e.mem), unix.Close(e.fd))
	}
	s.events = nil
	return errors.Join(errs...)
}

// read yields all records since the last call.
func (s *sideband) read(yield func(mapRecord)) {
	for _, e := range s.events {
		page := (*unix.PerfEventMmapPage)(unsafe.Pointer(&e.mem[0]))
		data := e.mem[os.Getpagesize():]
		head := atomic.LoadUint64(&page.Data_head)
		tail := page.Data_tail
		var buf []byte
		for tail+8 <= head {
			// A record may wrap around the end of the buffer.
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
					s.lost += binary.LittleEndian.Uint64(buf[16:])
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

// explainSideband explains why the kernel refuses to report mappings.
func explainSideband(err error) error {
	if !host.IsDenied(err) {
		return err
	}
	reason, remedy := host.EventDenied(host.CapPerfmon)
	return &event.PermissionError{What: "following mappings (perf_event_open)", Reason: reason, Remedy: remedy}
}
