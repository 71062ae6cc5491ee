package images

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// A mapRecord is a change of a process's executable mappings, as the kernel reports it:
// PERF_RECORD_MMAP2 and others in include/uapi/linux/perf_event.h.
type mapRecord struct {
	what                mapChange
	time                uint64 // ns, CLOCK_MONOTONIC
	pid                 uint32
	parent              uint32 // of a forked process
	start, size, offset uint64
	device              uint32 // major << 20 | minor, as in struct super_block
	inode               uint64
	path                string
}

type mapChange uint8

const (
	mappedFile   mapChange = iota
	begunProgram           // exec: all mappings are gone (PERF_RECORD_COMM)
	forked                 // the process inherits its parent's mappings (PERF_RECORD_FORK)
	ended                  // PERF_RECORD_EXIT of the first thread
)

const vdsoPath = "[vdso]"

// recordTime returns the time at the end of a record (struct sample_id).
func recordTime(b []byte) uint64 { return binary.LittleEndian.Uint64(b[len(b)-8:]) }

// decodeTask decodes a PERF_RECORD_FORK or PERF_RECORD_EXIT: header, pid, ppid, tid, ptid, time.
func decodeTask(b []byte) (mapRecord, bool) {
	if len(b) < 24 {
		return mapRecord{}, false
	}
	return mapRecord{what: forked, time: recordTime(b), pid: binary.LittleEndian.Uint32(b[8:]), parent: binary.LittleEndian.Uint32(b[12:])}, true
}

// decodeMmap2 decodes a PERF_RECORD_MMAP2 that contains device and inode rather than a
// build ID.
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
