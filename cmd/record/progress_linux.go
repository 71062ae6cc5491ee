package main

import (
	"fmt"

	"trapline/capture"
	"trapline/cmd/internal/cli"
)

// A status shows the progress of a recording: one line on the terminal, overwritten with
// each update.
type status struct {
	line *cli.Progress
	last capture.Progress
}

func (s *status) update(p capture.Progress) {
	if !s.line.Enabled() {
		return
	}
	if p.Symbolizing {
		s.line.Update(fmt.Sprintf("resolving symbols: %d of %d images", p.Done, p.Total))
		return
	}
	rate := 0.0
	if dt := (p.Elapsed - s.last.Elapsed).Seconds(); dt > 0 {
		rate = float64(p.Hits-s.last.Hits) / dt
	}
	s.last = p
	s.line.Update(fmt.Sprintf("%.1fs  %s hits  %s/s  %s lost  %s", p.Elapsed.Seconds(), grouped(p.Hits),
		grouped(uint64(rate)), grouped(p.Lost), size(p.Bytes)))
}
