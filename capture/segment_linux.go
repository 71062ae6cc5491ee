package capture

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"trapline/format"
)

// segmentAge is the maximum duration of a segment.
const segmentAge = 60 * time.Second

// endRound ends a round and, if it is full, the segment.
func (r *Recorder) endRound() error {
	r.code.user.Poll()
	if err := r.a.endRound(); err != nil {
		return err
	}
	full := r.w.SegmentFull() || r.a.stacks.full() || time.Since(r.a.segment.opened) > segmentAge
	switch {
	case full && !r.phase.closing:
		r.phase.closing = true
		r.symbolizer.nameAhead(slices.Clone(r.a.segment.located))
	case r.phase.closing && !r.symbolizer.busy():
		r.phase.closing = false
		if err := r.endSegment(); err != nil {
			return err
		}
		return r.newSegment()
	}
	return nil
}

// newSegment starts a segment with a new epoch, so that programs send all stacks again.
func (r *Recorder) newSegment() error {
	r.phase.epoch++
	if err := r.programs.Switch(r.phase.enabled, r.phase.epoch); err != nil {
		return err
	}
	return r.a.startSegment(readClock())
}

func (r *Recorder) endSegment() error {
	if err := r.flush(); err != nil {
		return err
	}
	err := r.a.writeSymbols(r.symbolizer, func(done, total int) {
		if r.options.Progress != nil {
			p := r.progress()
			p.Symbolizing, p.Done, p.Total = true, done, total
			r.options.Progress(p)
		}
	})
	if err != nil {
		return err
	}
	return r.w.EndSegment()
}

// flush writes all hits so far and the account.
func (r *Recorder) flush() error {
	if err := r.a.writeKernelSymbols(r.symbolizer); err != nil {
		return err
	}
	if err := r.w.Loss(monotonic(), r.formatCounts(r.accounts(false))); err != nil {
		return err
	}
	return r.w.Flush()
}

// finish writes what remains when the rings are empty and ends the last segment.
func (r *Recorder) finish() error {
	if err := r.a.flushPending(); err != nil {
		return err
	}
	r.code.user.Poll()
	if err := r.w.Flush(); err != nil {
		return err
	}
	if err := r.w.Loss(monotonic(), r.formatCounts(r.accounts(true))); err != nil {
		return err
	}
	return r.endSegment()
}

func readClock() format.Clock {
	read := func(id int32) uint64 {
		var ts unix.Timespec
		unix.ClockGettime(id, &ts)
		return uint64(ts.Nano())
	}
	return format.Clock{Monotonic: read(unix.CLOCK_MONOTONIC), Boottime: read(unix.CLOCK_BOOTTIME), Realtime: read(unix.CLOCK_REALTIME)}
}

func monotonic() uint64 { return readClock().Monotonic }
