package export

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"trapline/analysis"
	"trapline/format"
)

// maxBoxes bounds the size of a flame graph to about 4 MB of SVG, which browsers
// can still zoom without delay.
const maxBoxes = 10_000

var flamegraph = Format{
	Name: "flamegraph", Suffixes: []string{".svg"},
	Help:  "interactive flame graph in one SVG file, for any browser",
	Write: writeFlamegraph,
}

// writeFlamegraph draws stacks merged by name as boxes. The width of a box is its
// share of the hits.
func writeFlamegraph(w io.Writer, r *Request) (*Summary, error) {
	result, err := r.aggregate(r.merged())
	if err != nil {
		return nil, err
	}
	probes := probeList(result)
	t := r.tree(result, !r.Reverse)
	total := t.Nodes[0].Weight
	boxes, left := layout(t, uint64(math.Ceil(float64(total)*r.MinWidth/100)), maxBoxes)
	p := picture{
		title:    r.Title,
		subtitle: subtitle(result, total, r),
		unit:     r.unit(),
		icicle:   r.Icicle,
		tree:     t,
		boxes:    boxes,
	}
	if p.title == "" {
		p.title = probes
	}
	if left > 0 {
		p.omitted = fmt.Sprintf("not shown: %s of %s calls, the narrowest", group(uint64(left)), group(uint64(len(t.Nodes)-1)))
	}
	return result, p.write(w)
}

// probeList names the probes of the drawn hits, up to a limit.
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
		if t, ok := h.RealTime(h.Start); ok {
			parts = append(parts, t.Format("2006-01-02 15:04:05 UTC"))
		}
	}
	return strings.Join(parts, " · ")
}
