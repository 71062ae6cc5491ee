package images

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDecodeMmap2(t *testing.T) {
	le := binary.LittleEndian
	b := make([]byte, 72)
	le.PutUint32(b[0:], unix.PERF_RECORD_MMAP2)
	le.PutUint32(b[8:], 42)        // pid
	le.PutUint64(b[16:], 0x400000) // addr
	le.PutUint64(b[24:], 0x2000)   // len
	le.PutUint64(b[32:], 0x1000)   // pgoff
	le.PutUint32(b[40:], 8)        // maj
	le.PutUint32(b[44:], 1)        // min
	le.PutUint64(b[48:], 77)       // ino
	le.PutUint32(b[64:], unix.PROT_READ|unix.PROT_EXEC)
	b = append(b, "/bin/cat\x00\x00\x00\x00\x00\x00\x00\x00"...)
	m, ok := decodeMmap2(b)
	want := mapRecord{pid: 42, start: 0x400000, size: 0x2000, offset: 0x1000, device: 8<<20 | 1, inode: 77, path: "/bin/cat"}
	if !ok || m != want {
		t.Errorf("got %+v, %t; want %+v", m, ok, want)
	}
	for n := range 73 {
		if m, ok := decodeMmap2(append([]byte(nil), b[:n]...)); ok {
			t.Errorf("a record cut to %d bytes was decoded: %+v", n, m)
		}
	}
	vdso := append([]byte(nil), b[:72]...)
	le.PutUint64(vdso[48:], 0)
	if _, ok := decodeMmap2(append(vdso, "[vdso]\x00\x00"...)); !ok {
		t.Error("the vdso was not taken")
	}
	if _, ok := decodeMmap2(append(vdso[:72], "//anon\x00\x00"...)); !ok {
		t.Error("code without a file was not taken")
	}
	data := append([]byte(nil), b...)
	le.PutUint32(data[64:], unix.PROT_READ)
	if _, ok := decodeMmap2(data); ok {
		t.Error("a mapping without code was taken")
	}
}

// Records wrap around the end of the buffer.
func TestCopyRing(t *testing.T) {
	got := make([]byte, 4)
	copyRing(got, []byte("cdxxxxab"), 6)
	if string(got) != "abcd" {
		t.Errorf("got %q", got)
	}
}
