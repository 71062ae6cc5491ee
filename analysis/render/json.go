package render

import (
	"encoding/json"
	"io"
	"maps"
	"slices"

	"trapline/analysis"
	"trapline/analysis/histogram"
	"trapline/format"
)

// jsonVersion is the version of the schema in docs/json.md. Adding members does not
// change it.
const jsonVersion = 1

type jsonReport struct {
	Version  int            `json:"version"`
	Captures []jsonCapture  `json:"captures"`
	Quality  jsonQuality    `json:"quality"`
	Sections *[]jsonSection `json:"sections,omitempty"` // nil for views without sections
}

type jsonCapture struct {
	Input      string            `json:"input"`
	Properties map[string]string `json:"properties"`
	Start      uint64            `json:"start_ns"`
	End        uint64            `json:"end_ns"`
	Realtime   uint64            `json:"clock_realtime_ns"`
	Monotonic  uint64            `json:"clock_monotonic_ns"`
	Hits       uint64            `json:"hits"`
}

type jsonQuality struct {
	Hits         uint64            `json:"hits"`
	Account      map[string]uint64 `json:"account"`
	Accounts     []jsonAccount     `json:"accounts"`
	KernelStacks uint64            `json:"kernel_stacks"`
	UserStacks   uint64            `json:"user_stacks"`
	Cut          map[string]uint64 `json:"cut"`
	Guessed      uint64            `json:"guessed"`
	Frames       uint64            `json:"frames"`
	Unnamed      uint64            `json:"frames_unnamed"`
	Damage       []jsonDamage      `json:"damage"`
	Truncated    []string          `json:"truncated"`
}

type jsonAccount struct {
	Probe  string            `json:"probe"`
	CPU    int64             `json:"cpu"` // -1 for all CPUs together
	Counts map[string]uint64 `json:"counts"`
}

type jsonDamage struct {
	Input  string `json:"input"`
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Reason string `json:"reason"`
}

type jsonSection struct {
	Probe   string      `json:"probe"`
	Hits    uint64      `json:"hits"`
	Samples uint64      `json:"samples"`
	Weight  uint64      `json:"weight"`
	Total   uint64      `json:"total"`
	Keys    []string    `json:"keys"`
	Entries []jsonEntry `json:"entries"`
}

type jsonEntry struct {
	Key       []any       `json:"key"`
	Self      uint64      `json:"self"`
	Total     uint64      `json:"total"`
	SelfHits  uint64      `json:"self_hits"`
	TotalHits uint64      `json:"total_hits"`
	Tree      []*jsonNode `json:"tree,omitempty"`
}

type jsonNode struct {
	Name     string      `json:"name"`
	Image    string      `json:"image,omitempty"`
	Kernel   bool        `json:"kernel,omitempty"`
	Inlined  bool        `json:"inlined,omitempty"`
	Weight   uint64      `json:"weight"`
	Hits     uint64      `json:"hits"`
	Children []*jsonNode `json:"children,omitempty"`
}

// SectionsJSON prints the sections, and what is known about the captures, as one
// JSON object. See docs/json.md.
func SectionsJSON(w io.Writer, r *analysis.Result, sections []*histogram.Section, st Style) error {
	doc := jsonReportOf(r)
	list := make([]jsonSection, 0, len(sections))
	for _, s := range sections {
		list = append(list, jsonSectionOf(s, &st))
	}
	doc.Sections = &list
	return doc.write(w)
}

// HeaderJSON prints what is known about the captures: the object of [SectionsJSON]
// without sections.
func HeaderJSON(w io.Writer, r *analysis.Result) error {
	return jsonReportOf(r).write(w)
}

func jsonReportOf(r *analysis.Result) *jsonReport {
	doc := &jsonReport{Version: jsonVersion, Captures: []jsonCapture{}, Quality: jsonQualityOf(&r.Quality)}
	for _, h := range r.Headers {
		c := jsonCapture{
			Input: h.Input, Properties: make(map[string]string), Start: h.Start, End: h.End,
			Realtime: h.Clock.Realtime, Monotonic: h.Clock.Monotonic, Hits: h.Hits,
		}
		for _, p := range h.Properties {
			c.Properties[p.Key] = p.Value
		}
		doc.Captures = append(doc.Captures, c)
	}
	return doc
}

func (doc *jsonReport) write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(doc)
}

func jsonQualityOf(q *analysis.Quality) jsonQuality {
	j := jsonQuality{
		Hits: q.Hits, Account: jsonCounts(q.Sum()), Accounts: []jsonAccount{},
		KernelStacks: q.KernelStacks, UserStacks: q.UserStacks, Cut: make(map[string]uint64), Guessed: q.Guessed,
		Frames: q.Frames, Unnamed: q.Unnamed, Damage: []jsonDamage{}, Truncated: append([]string{}, q.Truncated...),
	}
	for _, a := range q.Accounts {
		cpu := int64(a.CPU)
		if a.CPU == format.AnyCPU {
			cpu = -1
		}
		j.Accounts = append(j.Accounts, jsonAccount{a.Probe, cpu, jsonCounts(a.Counts)})
	}
	for c, n := range q.Cut {
		j.Cut[c.String()] = n
	}
	for _, d := range q.Damage {
		j.Damage = append(j.Damage, jsonDamage(d))
	}
	return j
}

func jsonCounts(counts map[format.Cause]uint64) map[string]uint64 {
	m := make(map[string]uint64)
	for _, c := range slices.Sorted(maps.Keys(counts)) {
		m[c.String()] += counts[c]
	}
	return m
}

func jsonSectionOf(s *histogram.Section, st *Style) jsonSection {
	total := st.total(s)
	j := jsonSection{
		Probe: s.Probe, Hits: s.Hits, Samples: s.Samples, Weight: s.Sum, Total: total,
		Keys: []string{}, Entries: []jsonEntry{},
	}
	for _, k := range s.Keys {
		j.Keys = append(j.Keys, k.String())
	}
	for _, e := range s.Entries {
		if percent(e.Total, total) < st.PercentLimit {
			break
		}
		je := jsonEntry{
			Key: []any{}, Self: e.Self, Total: e.Total, SelfHits: e.SelfHits, TotalHits: e.TotalHits,
			Tree: jsonTree(e.Tree, 0),
		}
		for i, k := range s.Keys {
			je.Key = append(je.Key, jsonCell(k, e.Cells[i]))
		}
		j.Entries = append(j.Entries, je)
	}
	return j
}

func jsonCell(k histogram.Key, c histogram.Cell) any {
	switch k.Kind {
	case histogram.KeyPID, histogram.KeyTID, histogram.KeyCPU:
		return c.ID
	case histogram.KeyArg:
		if c.Value == nil {
			return nil
		}
		return c.Value.JSON()
	}
	return c.Text
}

// jsonTree returns the descendants of the node with number parent.
func jsonTree(t *analysis.Tree, parent int32) []*jsonNode {
	if t == nil {
		return nil
	}
	var list []*jsonNode
	for c := range t.Children(parent) {
		n := &t.Nodes[c]
		j := &jsonNode{Name: n.Name(), Weight: n.Weight, Hits: n.Hits, Children: jsonTree(t, c)}
		if c := n.Call; c != nil {
			j.Kernel, j.Inlined = c.Kernel, c.Inlined
			if c.Image != nil {
				j.Image = c.Image.Name()
			}
		}
		list = append(list, j)
	}
	return list
}
