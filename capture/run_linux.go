package capture

import (
	"context"
	"io"
	"time"

	"trapline/capture/ring"
	"trapline/format"
)

// Run records to out until ctx ends. It calls begin when all probes are live. At the end
// it writes hits in flight, resolves symbols and completes the capture. An error of out
// ends the recording; what was written before remains readable. The summary is nil if
// recording did not start.
func (r *Recorder) Run(ctx context.Context, out io.Writer, begin func() error) (_ *Summary, err error) {
	r.w, err = format.NewWriter(out, r.options.Properties, &format.WriterOptions{Level: r.options.Level, Resolution: r.options.Resolution})
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := r.w.Close(); err == nil {
			err = closeErr
		}
	}()
	var u unwinder
	if r.teacher != nil {
		u = r.teacher
	}
	r.a = newAssembler(r.w, &r.code, u, &r.settings, r.cpus.possible)
	if err := r.a.startSegment(readClock()); err != nil {
		return nil, err
	}
	if r.options.Delay == 0 {
		if err := r.start(); err != nil {
			return nil, err
		}
	}
	r.phase.started = time.Now()
	r.rings.Hurry()
	go r.rings.Drain()
	if err = begin(); err == nil {
		err = r.loop(ctx)
	} else {
		r.stop()
		for c := range r.rings.Chunks() {
			r.rings.Done(len(c.Data))
		}
	}
	if r.phase.elapsed == 0 {
		r.phase.elapsed = time.Since(r.phase.started)
	}
	if err == nil {
		err = r.finish()
	}
	return r.summary(), err
}

// start starts recording.
func (r *Recorder) start() error {
	if r.teacher != nil {
		r.teacher.Wait() // the first millisecond may bring thousands of hits
	}
	r.programs.Begin()
	r.phase.started = time.Now()
	r.a.later = monotonic() + uint64(time.Second)
	r.phase.enabled = true
	if err := r.programs.Switch(true, r.phase.epoch); err != nil {
		return err
	}
	if r.options.Live != nil {
		r.options.Live()
	}
	if r.teacher != nil && r.options.Command == 0 && len(r.options.Scope.PIDs)+len(r.options.Scope.TIDs) == 0 {
		// Any running program may be hit, and any that starts later.
		r.teacher.Follow()
	}
	return nil
}

// stop stops recording: all programs at once, before they are detached.
func (r *Recorder) stop() {
	r.phase.enabled = false
	r.programs.Switch(false, r.phase.epoch)
	r.phase.elapsed = time.Since(r.phase.started)
	r.programs.End()
	r.rings.Stop()
}

// loop processes chunks until the rings are stopped and empty.
func (r *Recorder) loop(ctx context.Context) error {
	l := loop{r: r, done: ctx.Done()}
	if r.options.Delay > 0 {
		l.delay = time.After(r.options.Delay)
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	progress := time.NewTicker(250 * time.Millisecond)
	defer progress.Stop()
	for {
		select {
		case c, ok := <-r.rings.Chunks():
			if !ok {
				return l.err
			}
			l.chunk(c)
		case <-l.delay:
			l.delay = nil
			l.fail(r.start())
		case <-second.C:
			if l.err == nil {
				l.fail(r.flush())
			}
		case <-progress.C:
			if r.options.Progress != nil {
				r.options.Progress(r.progress())
			}
		case <-l.done:
			l.end()
		}
	}
}

// A loop is the state of Recorder.loop.
type loop struct {
	r     *Recorder
	done  <-chan struct{}  // nil when ending
	delay <-chan time.Time // nil if recording has started or will not
	ended bool
	err   error
}

// end stops recording. The rings are still drained.
func (l *loop) end() {
	l.done, l.delay = nil, nil
	if !l.ended {
		l.ended = true
		l.r.stop()
	}
}

// fail stops recording if err is not nil. Draining continues so that its goroutine ends,
// but nothing more is written.
func (l *loop) fail(err error) {
	if l.err == nil && err != nil {
		l.err = err
		l.end()
	}
}

// chunk processes a chunk or the end of a round.
func (l *loop) chunk(c ring.Chunk) {
	r := l.r
	r.rings.Done(len(c.Data))
	switch {
	case l.err != nil:
	case c.Data == nil:
		l.fail(r.endRound())
	default:
		raw := r.a.counts.RawStacks
		l.fail(r.a.chunk(c))
		if r.a.counts.RawStacks != raw {
			r.rings.Hurry() // more stacks may wait for the rules just written
		}
	}
	if r.options.MaxHits > 0 && r.a.counts.Hits+r.a.counts.Undecodable >= r.options.MaxHits {
		l.end()
	}
}
