package capture

import (
	"context"
	"io"
	"time"

	"trapline/capture/ring"
	"trapline/format"
)

// Run writes a capture to out until ctx ends; it calls begin once every probe is
// live. What was in flight is still written, symbols are resolved, and the
// capture is completed. An error of the output ends the recording; what was
// written before is whole. The summary is nil if recording did not begin.
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

// start lets the programs record.
func (r *Recorder) start() error {
	if r.teacher != nil {
		r.teacher.Wait() // hits may come by the thousand within the first millisecond
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
		// Anything that runs may be hit, and what will be run from now on.
		r.teacher.Follow()
	}
	return nil
}

// stop ends the hits: the programs first, so that all probes end at one moment.
func (r *Recorder) stop() {
	r.phase.enabled = false
	r.programs.Switch(false, r.phase.epoch)
	r.phase.elapsed = time.Since(r.phase.started)
	r.programs.End()
	r.rings.Stop()
}

// loop takes in chunks until the rings are stopped and empty.
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

// A loop is the state of a recording that runs.
type loop struct {
	r     *Recorder
	done  <-chan struct{}  // nil: it is being ended
	delay <-chan time.Time // nil: recording has begun, or will not
	ended bool
	err   error
}

// end ends the hits. What is in the rings is still taken in.
func (l *loop) end() {
	l.done, l.delay = nil, nil
	if !l.ended {
		l.ended = true
		l.r.stop()
	}
}

// fail ends the recording for an error, if it is one: draining goes on, so that its
// goroutine ends, but nothing more is written.
func (l *loop) fail(err error) {
	if l.err == nil && err != nil {
		l.err = err
		l.end()
	}
}

// chunk takes in a chunk, or the end of a round.
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
			r.rings.Hurry() // more may wait for the rules just written
		}
	}
	if r.options.MaxHits > 0 && r.a.counts.Hits+r.a.counts.Undecodable >= r.options.MaxHits {
		l.end()
	}
}
