package capture

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/attach"
	"trapline/format"
)

// Run writes a capture to out until ctx ends; it calls begin once every probe is
// live. What was in flight is still written, symbols are resolved, and the
// capture is completed. An error of the output ends the recording; what was
// written before is whole. The summary is nil if recording did not begin.
func (r *Recorder) Run(ctx context.Context, out io.Writer, begin func() error) (_ *Summary, err error) {
	r.w, err = format.NewWriter(out, r.opt.Properties, &format.WriterOptions{Level: r.opt.Level, Resolution: r.opt.Resolution})
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := r.w.Close(); err == nil {
			err = closeErr
		}
	}()
	var u unwinder
	if r.unwinder != nil {
		u = r.unwinder
	}
	r.a = newAssembler(r.w, r, u, &r.settings, r.possible)
	if err := r.a.startSegment(readClock()); err != nil {
		return nil, err
	}
	if r.opt.Delay == 0 {
		if err := r.start(); err != nil {
			return nil, err
		}
	}
	r.started = time.Now()
	r.rings.Hurry.Store(true)
	go r.rings.Drain()
	err = begin()
	if err == nil {
		err = r.loop(ctx)
	} else {
		r.stop()
		for c := range r.rings.Out {
			r.rings.Done(len(c.Data))
		}
	}
	if r.elapsed == 0 {
		r.elapsed = time.Since(r.started)
	}
	if err == nil {
		err = r.finish()
	}
	return r.summary(), err
}

// start lets the programs record.
func (r *Recorder) start() error {
	if r.rows != nil {
		r.rows.Wait() // hits may come by the thousand within the first millisecond
	}
	for _, a := range r.attachments {
		a.Begin()
	}
	r.started = time.Now()
	r.a.later = monotonic() + uint64(time.Second)
	r.enabled = true
	if err := r.control(true); err != nil {
		return err
	}
	if r.opt.Live != nil {
		r.opt.Live()
	}
	if r.rows != nil && r.opt.Command == 0 && len(r.opt.Scope.PIDs)+len(r.opt.Scope.TIDs) == 0 {
		// Anything that runs may be hit, and what will be run from now on.
		for _, i := range r.images.Files {
			r.unwinder.Want(i)
		}
		r.images.Added = r.unwinder.Want
	}
	return nil
}

// loop takes in chunks until the rings are closed and empty.
func (r *Recorder) loop(ctx context.Context) (err error) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	progress := time.NewTicker(250 * time.Millisecond)
	defer progress.Stop()
	var delay <-chan time.Time
	if r.opt.Delay > 0 {
		delay = time.After(r.opt.Delay)
	}
	done := ctx.Done()
	ended := false
	end := func() {
		done, delay = nil, nil
		if !ended {
			ended = true
			r.stop()
		}
	}
	fail := func(e error) {
		// Go on draining, so that the drain goroutine ends, but write no more.
		if err == nil && e != nil {
			err = e
			end()
		}
	}
	for {
		select {
		case c, ok := <-r.rings.Out:
			if !ok {
				return err
			}
			r.rings.Done(len(c.Data))
			switch {
			case err != nil:
			case c.Data == nil:
				fail(r.endRound())
			default:
				raw := r.a.counts.RawStacks
				fail(r.a.chunk(c))
				if r.a.counts.RawStacks != raw {
					r.rings.Hurry.Store(true) // more may wait for the rules just written
				}
			}
			if r.opt.MaxHits > 0 && r.a.counts.Hits+r.a.counts.Undecodable >= r.opt.MaxHits {
				end()
			}
		case <-delay:
			delay = nil
			fail(r.start())
		case <-second.C:
			if err == nil {
				fail(r.flush())
			}
		case <-progress.C:
			if r.opt.Progress != nil {
				r.opt.Progress(r.progress())
			}
		case <-done:
			end()
		}
	}
}

func (r *Recorder) endRound() error {
	r.images.Poll()
	if err := r.a.endRound(); err != nil {
		return err
	}
	full := r.w.SegmentFull() || r.a.stacks.full() || time.Since(r.a.started) > segmentAge
	switch {
	case full && !r.closing:
		r.closing = true
		r.symbolizer.nameAhead(slices.Clone(r.a.located))
	case r.closing && !r.symbolizer.busy():
		r.closing = false
		if err := r.endSegment(); err != nil {
			return err
		}
		return r.newSegment()
	}
	return nil
}

// newSegment makes all stacks new, so that the programs send them again.
func (r *Recorder) newSegment() error {
	r.epoch++
	if err := r.control(r.enabled); err != nil {
		return err
	}
	return r.a.startSegment(readClock())
}

func (r *Recorder) endSegment() error {
	if err := r.flush(); err != nil {
		return err
	}
	err := r.a.writeSymbols(r.symbolizer, func(done, total int) {
		if r.opt.Progress != nil {
			p := r.progress()
			p.Symbolizing, p.Done, p.Total = true, done, total
			r.opt.Progress(p)
		}
	})
	if err != nil {
		return err
	}
	return r.w.EndSegment()
}

// flush writes all hits so far, and the account.
func (r *Recorder) flush() error {
	if err := r.a.writeKernelSymbols(r.symbolizer); err != nil {
		return err
	}
	if err := r.w.Loss(monotonic(), r.formatCounts(r.accounts(false))); err != nil {
		return err
	}
	return r.w.Flush()
}

// Stop ends the hits: the programs first, so that all probes end at one moment.
func (r *Recorder) stop() {
	r.enabled = false
	r.control(false)
	r.elapsed = time.Since(r.started)
	for _, a := range r.attachments {
		a.Recursion, a.Missed = a.Since()
		a.Detach()
	}
	close(r.rings.Stop)
}

func (r *Recorder) finish() error {
	if err := r.a.flushPending(); err != nil {
		return err
	}
	r.images.Poll()
	if err := r.w.Flush(); err != nil {
		return err
	}
	if err := r.w.Loss(monotonic(), r.formatCounts(r.accounts(true))); err != nil {
		return err
	}
	return r.endSegment()
}

// control switches all programs on or off and sets the epoch of stack hashes.
func (r *Recorder) control(enabled bool) error {
	err := r.programs.Maps[bpf.HooksMapControls].Put(uint32(0), bpf.HooksControl{Epoch: r.epoch, Enabled: attach.Flag(enabled)})
	if err != nil {
		return fmt.Errorf("switch the programs: %w", err)
	}
	return nil
}

func (r *Recorder) progress() Progress {
	s := r.w.Stats()
	p := Progress{Elapsed: r.elapsed, Hits: r.a.counts.Hits, Bytes: s.Bytes}
	if p.Elapsed == 0 {
		p.Elapsed = time.Since(r.started)
	}
	for _, c := range r.accounts(false) {
		if c.cause.Lost() {
			p.Lost += c.n
		}
	}
	return p
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
