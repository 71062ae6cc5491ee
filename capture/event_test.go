package capture

import (
	"testing"

	"trapline/bpf"
)

// Whatever a ring holds, decoding it reads nothing outside of it.
func FuzzDecodeEvent(f *testing.F) {
	f.Add(encodeHit(hitEvent{probe: 1, time: 2, pid: 3, tid: 4, kernelStack: 5, userStack: 6, record: []byte("record")}))
	f.Add(encodeKernelStack(7, 0x1000, 0x2000))
	f.Add(encodeUserStack(8, 9, userFrame{address: 0x400000, inode: 1, offset: 2, device: 3, known: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h hitEvent
		if decodeHit(b, &h) == nil && bpf.HitSize+len(h.record) > len(b) {
			t.Fatal("a record longer than the event")
		}
		var s stackEvent
		if decodeStack(b, &s) == nil {
			for i := range s.count {
				if s.kernel {
					s.address(i)
				} else {
					s.userFrame(i)
				}
			}
		}
	})
}

func TestDecodeEvent(t *testing.T) {
	want := hitEvent{flags: 4, probe: 1, time: 1 << 40, pid: 3, tid: 4, kernelStack: 5, userStack: 6,
		comm: [16]byte{'c', 'a', 't'}, record: []byte("record")}
	var got hitEvent
	b := encodeHit(want)
	if err := decodeHit(b, &got); err != nil {
		t.Fatal(err)
	}
	if string(got.record) != "record" {
		t.Errorf("record %q", got.record)
	}
	got.record, want.record = nil, nil
	if got.time != want.time || got.comm != want.comm || got.userStack != want.userStack || got.flags != want.flags || got.tid != want.tid {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for n := range len(b) {
		if err := decodeHit(b[:n], &got); err == nil {
			t.Errorf("a hit cut to %d of %d bytes was decoded", n, len(b))
		}
	}
	b = encodeUserStack(8, 9, userFrame{address: 1}, userFrame{address: 2, inode: 3, offset: 4, device: 5, known: true})
	var s stackEvent
	if err := decodeStack(b, &s); err != nil {
		t.Fatal(err)
	}
	if f := s.userFrame(1); s.count != 2 || s.hash != 8 || s.pid != 9 || f != (userFrame{address: 2, inode: 3, offset: 4, device: 5, known: true}) {
		t.Errorf("got %+v, frame %+v", s, f)
	}
	for n := range len(b) {
		if err := decodeStack(b[:n], &s); err == nil {
			t.Errorf("a stack cut to %d of %d bytes was decoded", n, len(b))
		}
	}
}
