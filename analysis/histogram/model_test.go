package histogram_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/analysis/histogram"
)

// These tests compare answers with those of a simple model: loops over the list of
// hits that the capture was built from.

// A figure holds the counts of an entry.
type figure struct{ self, total, selfHits, totalHits uint64 }

// modelKey returns the value of a sort key for a hit and one of its calls.
func modelKey(key string, h *analysistest.Hit, c *analysistest.Call) string {
	switch key {
	case "comm":
		return h.Comm
	case "pid":
		return strconv.Itoa(int(h.PID))
	case "tid":
		return h.Comm + strconv.Itoa(int(h.TID))
	case "cpu":
		return strconv.Itoa(h.CPU)
	case "probe":
		return h.Probe
	case "size":
		return strconv.FormatInt(h.Size, 10)
	case "sched_switch.tag":
		if h.Tag == "" {
			return "-"
		}
		return h.Tag
	}
	short := h.Probe[strings.LastIndexByte(h.Probe, ':')+1:]
	switch {
	case key == "symbol" && c != nil:
		return c.Name
	case key == "dso" && c != nil:
		return c.DSO()
	case key == "symbol" && h.Tag != "":
		return "[no stack]"
	case key == "symbol":
		return short
	case strings.HasPrefix(h.Probe, "uprobe"):
		return "app"
	}
	return "[kernel.kallsyms]"
}

func modelHistogram(hits []analysistest.Hit, probe string, keys []string, children bool) map[string]figure {
	perCall := slices.Contains(keys, "symbol") || slices.Contains(keys, "dso")
	entries := map[string]figure{}
	for i := range hits {
		h := &hits[i]
		if probe != "" && h.Probe != probe {
			continue
		}
		chain := h.Calls()
		var calls []*analysistest.Call
		for i := range chain {
			calls = append(calls, &chain[i])
		}
		if len(calls) == 0 {
			calls = []*analysistest.Call{nil}
		}
		seen := map[string]bool{}
		for i, c := range calls {
			if i > 0 && (!children || !perCall || c.Truncated) {
				continue
			}
			var cells []string
			for _, k := range keys {
				cells = append(cells, modelKey(k, h, c))
			}
			// Kernel functions differ from others of the same name.
			name := strings.Join(cells, "|")
			if slices.Contains(keys, "symbol") && (c != nil && c.Kernel || c == nil && !strings.HasPrefix(h.Probe, "uprobe")) {
				name += " [k]"
			}
			e := entries[name]
			if i == 0 {
				e.self, e.selfHits = e.self+h.Period, e.selfHits+1
			}
			if !seen[name] {
				e.total, e.totalHits = e.total+h.Period, e.totalHits+1
			}
			seen[name] = true
			entries[name] = e
		}
	}
	return entries
}

func cellText(k histogram.Key, c histogram.Cell) string {
	switch k.Kind {
	case histogram.KeyPID, histogram.KeyCPU:
		return strconv.Itoa(int(c.ID))
	case histogram.KeyTID:
		return c.Text + strconv.Itoa(int(c.ID))
	}
	return c.Text
}

func TestHistogramsCountTheHits(t *testing.T) {
	analysistest.ForRandom(t, func(t *testing.T, capture []byte, hits []analysistest.Hit) {
		for _, sort := range []string{"comm", "pid", "tid,cpu", "symbol", "comm,dso,symbol", "dso", "size", "probe,symbol", "sched_switch.tag,comm", "size,symbol,sched_switch.tag"} {
			keys := parseKeys(t, sort)
			r := aggregate(t, histogram.QueryFor(keys, analysis.Filter{}, false), capture)
			for _, children := range []bool{false, true} {
				for _, s := range histogram.Sections(r, histogram.Options{Keys: keys, Children: children}) {
					want := modelHistogram(hits, s.Probe, strings.Split(sort, ","), children)
					got := map[string]figure{}
					for _, e := range s.Entries {
						var cells []string
						kernel := ""
						for i, c := range e.Cells {
							cells = append(cells, cellText(keys[i], c))
							if c.Kernel {
								kernel = " [k]"
							}
						}
						got[strings.Join(cells, "|")+kernel] = figure{e.Self, e.Total, e.SelfHits, e.TotalHits}
					}
					analysistest.Same(t, fmt.Sprintf("-s %s, children %v, %s", sort, children, s.Probe), got, want)
				}
			}
		}
	})
}

// treePaths returns the weights of all nodes, keyed by the path of names from the
// root.
func treePaths(tree *analysis.Tree) map[string]uint64 {
	paths := map[string]uint64{}
	names := make([]string, len(tree.Nodes))
	for i := range tree.Nodes {
		n := &tree.Nodes[i]
		if n.Parent >= 0 {
			names[i] = names[n.Parent] + "/" + n.Name()
			if n.Call != nil && !n.Call.Truncated {
				names[i] += "@" + n.Call.Image.Name()
			}
		}
		paths[names[i]] += n.Weight
	}
	return paths
}

// modelCallTree returns the weights of the nodes in the tree of a function: the
// whole chains of hits in the function itself, and one side of the chains of other
// hits.
func modelCallTree(hits []analysistest.Hit, probe string, entry analysistest.Call, caller bool) map[string]uint64 {
	paths := map[string]uint64{}
	for i := range hits {
		h := &hits[i]
		chain := h.Calls()
		if h.Probe != probe || len(chain) == 0 {
			continue
		}
		if chain[0] != entry {
			if caller {
				// Start at the outermost occurrence.
				at := slices.Index(reversed(chain), entry)
				if at < 0 {
					continue
				}
				chain = chain[:len(chain)-at]
			} else {
				at := slices.Index(chain, entry)
				if at < 0 {
					continue
				}
				chain = chain[at:]
			}
		}
		if caller {
			chain = reversed(chain)
		}
		path := ""
		for _, c := range chain {
			path += "/" + c.Name
			if !c.Truncated {
				path += "@" + c.DSO()
			}
			paths[path] += h.Period
		}
	}
	return paths
}

func reversed(chain []analysistest.Call) []analysistest.Call {
	r := slices.Clone(chain)
	slices.Reverse(r)
	return r
}

func TestCallTreesHoldTheStacks(t *testing.T) {
	analysistest.ForRandom(t, func(t *testing.T, capture []byte, hits []analysistest.Hit) {
		keys := parseKeys(t, "dso,symbol")
		r := aggregate(t, histogram.QueryFor(keys, analysis.Filter{}, true), capture)
		for _, caller := range []bool{true, false} {
			for _, minShare := range []float64{0, 0.05, 0.3} {
				sections := histogram.Sections(r, histogram.Options{
					Keys: keys, Children: true, Tree: &histogram.TreeOptions{Caller: caller, MinShare: minShare},
				})
				for _, s := range sections {
					least := max(1, uint64(minShare*float64(s.Weight)+0.999999))
					for _, e := range s.Entries {
						entry := analysistest.Call{Name: e.Cells[1].Text, Image: e.Cells[0].Text, Kernel: e.Cells[1].Kernel}
						entry.Image = map[string]string{"app": "/bin/app", "libc.so.6": "/lib/libc.so.6", "[kernel.kallsyms]": "[kernel.kallsyms]"}[entry.Image]
						want := modelCallTree(hits, s.Probe, entry, caller)
						maps.DeleteFunc(want, func(_ string, w uint64) bool { return w < least })
						got := map[string]uint64{}
						if e.Tree != nil {
							for path, w := range treePaths(e.Tree) {
								if path != "" {
									got[path] = w
								}
							}
						}
						analysistest.Same(t, fmt.Sprintf("%s: tree of %s, caller %v, at least %v", s.Probe, entry.Name, caller, minShare), got, want)
					}
				}
			}
		}
	})
}
