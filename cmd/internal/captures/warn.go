package captures

import (
	"trapline/analysis"
	"trapline/cmd/internal/cli"
)

// Warn prints what the captures lack.
func Warn(env cli.Env, q *analysis.Quality) {
	const most = 5
	for i, d := range q.Damage {
		if i == most {
			env.Warningf("%d more places are damaged", len(q.Damage)-most)
			break
		}
		env.Warningf("%s: damaged at offset %d (%d bytes skipped): %s", d.Input, d.Offset, d.Length, d.Reason)
	}
	for _, name := range q.Truncated {
		env.Warningf("%s: the capture ends early: the recording or the copy was cut off; complete parts are shown", name)
	}
	var lost uint64
	for cause, n := range q.Sum() {
		if cause.Lost() {
			lost += n
		}
	}
	if lost > 0 {
		env.Warningf("%d hits were lost while recording; see report --stats for details", lost)
	}
}
