package ring_test

import (
	"testing"

	"trapline/bpf"
	"trapline/capture/ring"
	"trapline/capture/ring/ringtest"
)

// Decoding reads nothing outside its input, whatever the ring contains.
func FuzzDecodeEvent(f *testing.F) {
	f.Add(ringtest.EncodeHit(ring.Hit{Probe: 1, Time: 2, PID: 3, TID: 4, KernelStack: 5, UserStack: 6, Record: []byte("record")}))
	f.Add(ringtest.EncodeKernelStack(7, 0x1000, 0x2000))
	f.Add(ringtest.EncodeUserStack(8, 9, ring.UserFrame{Address: 0x400000, Inode: 1, Offset: 2, Device: 3, Known: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h ring.Hit
		if ring.DecodeHit(b, &h) == nil && bpf.HitSize+len(h.Record) > len(b) {
			t.Fatal("a record longer than the event")
		}
		var s ring.Stack
		if ring.DecodeStack(b, &s) == nil {
			for i := range s.Count {
				if s.Kernel {
					s.Address(i)
				} else {
					s.UserFrame(i)
				}
			}
		}
	})
}

func TestDecodeEvent(t *testing.T) {
	want := ring.Hit{Flags: 4, Probe: 1, Time: 1 << 40, PID: 3, TID: 4, KernelStack: 5, UserStack: 6,
		Comm: [16]byte{'c', 'a', 't'}, Record: []byte("record")}
	var got ring.Hit
	b := ringtest.EncodeHit(want)
	if err := ring.DecodeHit(b, &got); err != nil {
		t.Fatal(err)
	}
	if string(got.Record) != "record" {
		t.Errorf("record %q", got.Record)
	}
	got.Record, want.Record = nil, nil
	if got.Time != want.Time || got.Comm != want.Comm || got.UserStack != want.UserStack || got.Flags != want.Flags || got.TID != want.TID {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for n := range len(b) {
		if err := ring.DecodeHit(b[:n], &got); err == nil {
			t.Errorf("a hit cut to %d of %d bytes was decoded", n, len(b))
		}
	}
	b = ringtest.EncodeUserStack(8, 9, ring.UserFrame{Address: 1}, ring.UserFrame{Address: 2, Inode: 3, Offset: 4, Device: 5, Known: true})
	var s ring.Stack
	if err := ring.DecodeStack(b, &s); err != nil {
		t.Fatal(err)
	}
	if f := s.UserFrame(1); s.Count != 2 || s.Hash != 8 || s.PID != 9 || f != (ring.UserFrame{Address: 2, Inode: 3, Offset: 4, Device: 5, Known: true}) {
		t.Errorf("got %+v, frame %+v", s, f)
	}
	for n := range len(b) {
		if err := ring.DecodeStack(b[:n], &s); err == nil {
			t.Errorf("a stack cut to %d of %d bytes was decoded", n, len(b))
		}
	}
}
