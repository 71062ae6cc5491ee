package render

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"trapline/analysis"
	"trapline/format"
)

// headings are the properties in the header of every report, with the titles of
// perf.
var headings = []struct{ title, key string }{
	{"hostname", format.KeyHostname},
	{"os release", format.KeyKernel},
	{"arch", format.KeyArch},
	{"cpus online", format.KeyCPUs},
	{"target", format.KeyTarget},
	{"cmdline", format.KeyCommandLine},
}

// Header prints what is known about each recording, and the account of its hits.
// With full it prints all properties of the captures.
func Header(w io.Writer, r *analysis.Result, full bool) error {
	bw := bufio.NewWriter(w)
	for _, h := range r.Headers {
		bw.WriteString("# ========\n")
		headerPart(bw, h, full)
	}
	if len(r.Headers) > 0 {
		bw.WriteString("# ========\n")
	}
	bw.WriteString("#\n")
	fmt.Fprintf(bw, "# Hits: %s\n", accountLine(&r.Quality))
	if line := stackLine(&r.Quality); line != "" {
		fmt.Fprintf(bw, "# Stacks: %s\n", line)
	}
	bw.WriteString("#\n")
	return bw.Flush()
}

func headerPart(w *bufio.Writer, h *analysis.Header, full bool) {
	field := func(title, value string) {
		if value != "" {
			fmt.Fprintf(w, "# %-14s : %s\n", title, clean(value))
		}
	}
	field("captured on", capturedOn(h))
	shown := make(map[string]bool)
	for _, f := range headings {
		shown[f.key] = true
		field(f.title, h.Get(f.key))
	}
	field("duration", fmt.Sprintf("%.6f s, %d hits", float64(h.End-h.Start)/1e9, h.Hits))
	if !full {
		return
	}
	for _, p := range h.Properties {
		if !shown[p.Key] {
			field(clean(p.Key), p.Value)
		}
	}
}

// capturedOn returns the time of the first hit in UTC.
func capturedOn(h *analysis.Header) string {
	if h.Clock.Realtime == 0 {
		return ""
	}
	t := int64(h.Clock.Realtime)
	if h.Start != 0 {
		t += int64(h.Start - h.Clock.Monotonic)
	}
	return time.Unix(0, t).UTC().Format("2006-01-02 15:04:05.000000 UTC")
}

// causes are the main columns of the account, in the order of reports.
var causes = []format.Cause{format.CauseRecorded, format.CauseFiltered, format.CauseSampled}

// accountLine returns the account of all hits in one line:
// "12 = 9 recorded + 0 filtered + 0 sampled out + 3 lost (ring full 3)".
func accountLine(q *analysis.Quality) string {
	if len(q.Accounts) == 0 {
		return fmt.Sprintf("%d in the capture (it holds no account of others)", q.Hits)
	}
	sum := q.Sum()
	var total, lost uint64
	var why []string
	for _, c := range slices.Sorted(maps.Keys(sum)) {
		total += sum[c]
		if c.Lost() && sum[c] > 0 {
			lost += sum[c]
			why = append(why, fmt.Sprintf("%s %d", c, sum[c]))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d = ", total)
	for _, c := range causes {
		fmt.Fprintf(&b, "%d %s + ", sum[c], c)
	}
	fmt.Fprintf(&b, "%d lost", lost)
	if len(why) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(why, ", "))
	}
	if recorded := sum[format.CauseRecorded]; recorded != q.Hits {
		fmt.Fprintf(&b, "; %d of the recorded ones are in the capture", q.Hits)
	}
	return b.String()
}

// stackLine returns in one line how complete the stacks are, or "" without stacks.
func stackLine(q *analysis.Quality) string {
	if q.KernelStacks+q.UserStacks == 0 {
		return ""
	}
	var cut uint64
	var why []string
	for _, c := range slices.Sorted(maps.Keys(q.Cut)) {
		cut += q.Cut[c]
		why = append(why, fmt.Sprintf("%s %d", c, q.Cut[c]))
	}
	line := fmt.Sprintf("%d kernel, %d user, %d cut short", q.KernelStacks, q.UserStacks, cut)
	if len(why) > 0 {
		line += " (" + strings.Join(why, ", ") + ")"
	}
	if q.Guessed > 0 {
		line += fmt.Sprintf(", %d with guessed frames", q.Guessed)
	}
	return line + fmt.Sprintf("; %.2f%% of frames named", percent(q.Frames-q.Unnamed, q.Frames))
}
