// Package ringtest encodes events as BPF programs do, for tests without a kernel.
package ringtest

import (
	"encoding/binary"

	"trapline/bpf"
	"trapline/capture/ring"
)

func EncodeHit(h ring.Hit) []byte {
	b := make([]byte, bpf.HitSize, bpf.HitSize+len(h.Record))
	b[0], b[1] = bpf.EventHit, h.Flags
	binary.LittleEndian.PutUint16(b[2:], uint16(len(h.Record)))
	binary.LittleEndian.PutUint32(b[4:], h.Probe)
	binary.LittleEndian.PutUint64(b[8:], h.Time)
	binary.LittleEndian.PutUint32(b[16:], h.PID)
	binary.LittleEndian.PutUint32(b[20:], h.TID)
	binary.LittleEndian.PutUint64(b[24:], h.KernelStack)
	binary.LittleEndian.PutUint64(b[32:], h.UserStack)
	copy(b[40:], h.Comm[:])
	return append(b, h.Record...)
}

func encodeStack(kind byte, hash uint64, pid uint32, count int) []byte {
	b := make([]byte, bpf.StackSize)
	b[0] = kind
	binary.LittleEndian.PutUint32(b[4:], uint32(count))
	binary.LittleEndian.PutUint64(b[8:], hash)
	binary.LittleEndian.PutUint32(b[32:], pid)
	return b
}

func EncodeKernelStack(hash uint64, addresses ...uint64) []byte {
	b := encodeStack(bpf.EventKernelStack, hash, 0, len(addresses))
	for _, a := range addresses {
		b = binary.LittleEndian.AppendUint64(b, a)
	}
	return b
}

func EncodeUserStack(hash uint64, pid uint32, frames ...ring.UserFrame) []byte {
	b := encodeStack(bpf.EventUserStack, hash, pid, len(frames))
	for i, f := range frames {
		b = binary.LittleEndian.AppendUint64(b, f.Address)
		b = binary.LittleEndian.AppendUint64(b, f.Image)
		b = binary.LittleEndian.AppendUint64(b, f.Inode)
		b = binary.LittleEndian.AppendUint64(b, f.Offset)
		b = binary.LittleEndian.AppendUint32(b, f.Device)
		known, how := uint16(0), uint16(0)
		if f.Known {
			known = bpf.MappingCode
		} else if f.NoCode {
			known = bpf.MappingNoCode
		}
		if f.Exact || i == 0 {
			how = bpf.FrameExact
		}
		b = binary.LittleEndian.AppendUint16(b, known)
		b = binary.LittleEndian.AppendUint16(b, how)
	}
	return b
}

// EncodeRing concatenates events as a ring does.
func EncodeRing(events ...[]byte) []byte {
	var b []byte
	for _, e := range events {
		b = append(b, e...)
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
	}
	return b
}
