package export

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"trapline/analysis"
	"trapline/format"
)

// maxBoxes caps the size of a flame graph: about 4 MB of SVG, which browsers
// still zoom without delay.
const maxBoxes = 10_000

// writeFlamegraph draws the hits' stacks, merged by name, as boxes as wide as
// their share of the hits.
func writeFlamegraph(w io.Writer, r *Request) (*Summary, error) {
	result, err := r.aggregate(r.merged())
	if err != nil {
		return nil, err
	}
	t := buildTree(result, r)
	least := uint64(math.Ceil(float64(t.root.total) * r.MinWidth / 100))
	boxes, left := t.layout(least, maxBoxes)
	p := picture{
		title:    r.Title,
		subtitle: subtitle(result, t.root.total, r),
		unit:     r.unit(),
		icicle:   r.Icicle,
		total:    t.root.total,
		boxes:    boxes,
	}
	if p.title == "" {
		p.title = probeList(result)
	}
	if left > 0 {
		p.omitted = fmt.Sprintf("not shown: %s of %s calls, the narrowest", group(uint64(left)), group(uint64(t.nodes)))
	}
	return result, p.write(w)
}

// probeList names the probes whose hits are drawn, a few of them.
func probeList(result *Summary) string {
	const show = 3
	var names []string
	seen := map[*analysis.Probe]bool{}
	for i := range result.Samples {
		if p := result.Samples[i].Probe; !seen[p] {
			seen[p] = true
			names = append(names, probeName(p))
		}
	}
	if len(names) == 0 {
		return "no hits"
	}
	slices.Sort(names)
	if len(names) > show {
		names = append(names[:show], fmt.Sprintf("%d more", len(names)-show))
	}
	return strings.Join(names, ", ")
}

// subtitle says how much was recorded, where and when.
func subtitle(result *Summary, total uint64, r *Request) string {
	parts := []string{group(total) + " " + printable(r.unit())}
	for i, h := range result.Headers {
		if i == 2 {
			parts = append(parts, fmt.Sprintf("%d more recordings", len(result.Headers)-i))
			break
		}
		if host := h.Get(format.KeyHostname); host != "" {
			parts = append(parts, printable(host))
		}
		if kernel := h.Get(format.KeyKernel); kernel != "" {
			parts = append(parts, "Linux "+printable(kernel))
		}
		if t, ok := realtime(h, h.Start); ok {
			parts = append(parts, t.Format("2006-01-02 15:04:05 UTC"))
		}
	}
	return strings.Join(parts, " · ")
}

// realtime converts a time of a recording to UTC; ok is false when the capture
// does not say how.
func realtime(h *analysis.Header, ns uint64) (t time.Time, ok bool) {
	if h == nil || h.Clock.Realtime == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, int64(h.Clock.Realtime+ns-h.Clock.Monotonic)).UTC(), true
}
