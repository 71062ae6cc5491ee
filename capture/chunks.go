package capture

import (
	"trapline/bpf"
	"trapline/capture/ring"
)

// chunk decodes a chunk of events.
func (a *assembler) chunk(c ring.Chunk) error {
	for {
		event, ok := c.Next()
		if !ok {
			return nil
		}
		if err := a.event(c.CPU, event); err != nil {
			return err
		}
	}
}

func (a *assembler) event(cpu int, event []byte) error {
	switch event[0] {
	case bpf.EventHit:
		return a.hitEvent(cpu, event, false)
	case bpf.EventKernelStack, bpf.EventUserStack:
		var s ring.Stack
		if err := ring.DecodeStack(event, &s); err != nil {
			a.counts.Undecodable++
			return nil
		}
		a.stack(&s)
		return nil
	case bpf.EventMemory:
		var m ring.Memory
		if err := ring.DecodeMemory(event, &m); err != nil {
			a.counts.Undecodable++
			return nil
		}
		a.rawMemory(&m)
		return nil
	case bpf.EventRawStack:
		var r ring.RawStack
		if err := ring.DecodeRawStack(event, &r); err != nil || a.unwinder == nil {
			a.counts.Undecodable++
			return nil
		}
		a.rawStack(&r)
		return nil
	}
	a.counts.Undecodable++
	return nil
}
