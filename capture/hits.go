package capture

import (
	"trapline/bpf"
	"trapline/capture/ring"
)

// keepOlder is how long into a segment, in ns, hits may still refer to stacks of the
// previous one.
const keepOlder = 1e9

// pendingRounds is how many rounds a hit waits for its stack. One is enough unless a
// record before the stack is still being written.
const pendingRounds = 50

// endRound retries pending hits. Everything that was in any ring at one moment has been
// processed: a stack is sent before the hits that refer to it, so it must have arrived.
func (a *assembler) endRound() error {
	if a.hit.Time > a.segment.begin+keepOlder {
		a.older = nil
	}
	if len(a.pending.hits) == 0 {
		return nil
	}
	a.pending.rounds++
	waiting := a.pending.hits
	a.pending.hits = nil
	last := a.pending.rounds >= pendingRounds
	for _, e := range waiting {
		if err := a.hitEvent(int(e[0])|int(e[1])<<8, e[2:], last); err != nil {
			return err
		}
	}
	if len(a.pending.hits) == 0 || last {
		a.pending.rounds = 0
	}
	return nil
}

// flushPending writes all pending hits at the end of the recording.
func (a *assembler) flushPending() error {
	a.pending.rounds = pendingRounds
	return a.endRound()
}

func (a *assembler) hitEvent(cpu int, event []byte, last bool) error {
	var h ring.Hit
	if err := ring.DecodeHit(event, &h); err != nil || int(h.Probe) >= len(a.probes) || cpu >= len(a.segment.recent) {
		a.counts.Undecodable++
		return nil
	}
	p := &a.probes[h.Probe]
	kernel, ok := a.stackID(h.KernelStack, p.depth)
	user, ok2 := a.stackID(h.UserStack, p.depth)
	if !ok || !ok2 {
		if !last {
			a.pending.hits = append(a.pending.hits, append([]byte{byte(cpu), byte(cpu >> 8)}, event...))
			return nil
		}
		a.counts.StacksLost++
	}
	a.stacks.forget(h.UserStack)
	if h.Flags&bpf.HitRecordCut != 0 {
		a.counts.RecordsCut++
	}
	a.hit.Time = h.Time
	a.hit.CPU = uint32(cpu)
	a.hit.Task = a.task(cpu, &h)
	a.hit.Probe = p.id
	a.hit.KernelStack = kernel
	a.hit.UserStack = user
	a.hit.Args = p.decoder.decode(a.hit.Args[:0], h.Record, a.w, a.symbol)
	p.stats[cpu].recorded++
	a.counts.Hits++
	return a.w.Hit(&a.hit)
}
