package capture

import (
	"encoding/binary"

	"trapline/bpf"
)

// Events as the programs write them, for tests that need no kernel.

func encodeHit(h hitEvent) []byte {
	b := make([]byte, bpf.HitSize, bpf.HitSize+len(h.record))
	b[0], b[1] = bpf.EventHit, h.flags
	binary.LittleEndian.PutUint16(b[2:], uint16(len(h.record)))
	binary.LittleEndian.PutUint32(b[4:], h.probe)
	binary.LittleEndian.PutUint64(b[8:], h.time)
	binary.LittleEndian.PutUint32(b[16:], h.pid)
	binary.LittleEndian.PutUint32(b[20:], h.tid)
	binary.LittleEndian.PutUint64(b[24:], h.kernelStack)
	binary.LittleEndian.PutUint64(b[32:], h.userStack)
	copy(b[40:], h.comm[:])
	return append(b, h.record...)
}

func encodeStack(kind byte, hash uint64, pid uint32, count int) []byte {
	b := make([]byte, bpf.StackSize)
	b[0] = kind
	binary.LittleEndian.PutUint32(b[4:], uint32(count))
	binary.LittleEndian.PutUint64(b[8:], hash)
	binary.LittleEndian.PutUint32(b[32:], pid)
	return b
}

func encodeKernelStack(hash uint64, addresses ...uint64) []byte {
	b := encodeStack(bpf.EventKernelStack, hash, 0, len(addresses))
	for _, a := range addresses {
		b = binary.LittleEndian.AppendUint64(b, a)
	}
	return b
}

func encodeUserStack(hash uint64, pid uint32, frames ...userFrame) []byte {
	b := encodeStack(bpf.EventUserStack, hash, pid, len(frames))
	for i, f := range frames {
		b = binary.LittleEndian.AppendUint64(b, f.address)
		b = binary.LittleEndian.AppendUint64(b, f.image)
		b = binary.LittleEndian.AppendUint64(b, f.inode)
		b = binary.LittleEndian.AppendUint64(b, f.offset)
		b = binary.LittleEndian.AppendUint32(b, f.device)
		known, how := uint16(0), uint16(0)
		if f.known {
			known = bpf.MappingCode
		} else if f.noCode {
			known = bpf.MappingNoCode
		}
		if f.exact || i == 0 {
			how = bpf.FrameExact
		}
		b = binary.LittleEndian.AppendUint16(b, known)
		b = binary.LittleEndian.AppendUint16(b, how)
	}
	return b
}

// encodeRing puts events one after another as a ring does.
func encodeRing(events ...[]byte) []byte {
	var b []byte
	for _, e := range events {
		b = append(b, e...)
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
	}
	return b
}
