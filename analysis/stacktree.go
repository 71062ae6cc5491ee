package analysis

import (
	"cmp"
	"slices"

	"trapline/analysis/internal/table"
)

// StackTree merges the stacks of samples: from their outermost callers if caller is
// set, otherwise from their innermost calls. The samples must have been counted by
// task, probe and stacks.
//
// Calls with the same name, image and kind become one node. The task is the
// outermost node. The name of the probe replaces the stack of a hit without stacks.
// weigh returns the weight of a sample; samples of weight 0 are left out.
func StackTree(samples []Sample, caller bool, weigh func(*Sample) uint64) *Tree {
	g := newGraft()
	var path []int32
	for i := range samples {
		s := &samples[i]
		w := weigh(s)
		if w == 0 {
			continue
		}
		path = g.path(path[:0], s)
		if caller {
			slices.Reverse(path)
		}
		g.add(path, Figures{Weight: w, Hits: s.Hits})
	}
	return g.tree()
}

// A look is what reports show of a call. Calls that look alike are one element.
type look struct {
	name, image string
	kind        CallKind
}

// A graft is a tree under construction. Its figures are stored in chunks: growing a
// single slice would take more memory than everything else.
type graft struct {
	keys     *table.Table   // parent<<32 | element → number of the node, minus 1
	chunks   [][]Figures    // by number of the node
	elements []Node         // prototypes of the nodes
	byLook   map[look]int32 // into elements
	byCall   []int32        // by Call.Index: index into elements, plus 1
	tasks    map[Task]int32 // into elements
	probes   map[*Probe]int32
}

const graftChunk = 1 << 12

func newGraft() *graft {
	return &graft{
		keys: table.New(1), byLook: make(map[look]int32),
		tasks: make(map[Task]int32), probes: make(map[*Probe]int32),
	}
}

// node returns the figures of node n, which may be the next new one.
func (g *graft) node(n int) *Figures {
	if n/graftChunk == len(g.chunks) {
		g.chunks = append(g.chunks, make([]Figures, graftChunk))
	}
	return &g.chunks[n/graftChunk][n%graftChunk]
}

// path appends the elements of a sample to dst, innermost call first.
func (g *graft) path(dst []int32, s *Sample) []int32 {
	none := len(dst)
	for _, st := range [...]*Stack{s.Kernel, s.User} {
		if st == nil {
			continue
		}
		for _, c := range st.Calls {
			dst = append(dst, g.call(c))
		}
	}
	if len(dst) == none {
		dst = append(dst, g.probe(s.Probe))
	}
	return append(dst, g.task(s.Task))
}

func (g *graft) call(c *Call) int32 {
	if n := int(c.Index) + 1 - len(g.byCall); n > 0 {
		g.byCall = append(g.byCall, make([]int32, n)...)
	}
	if n := g.byCall[c.Index]; n != 0 {
		return n - 1
	}
	l := look{name: c.Name(), kind: c.Kind()}
	if c.Image != nil && !c.Truncated {
		l.image = c.Image.Name()
	}
	n := g.element(l, Node{Call: c})
	g.byCall[c.Index] = n + 1
	return n
}

func (g *graft) probe(p *Probe) int32 {
	n, ok := g.probes[p]
	if !ok {
		name := "[unknown probe]"
		if p != nil {
			name = cmp.Or(p.Name, name)
		}
		n = g.element(look{name: name, kind: KindOther}, Node{Label: name})
		g.probes[p] = n
	}
	return n
}

func (g *graft) task(t Task) int32 {
	n, ok := g.tasks[t]
	if !ok {
		n = g.element(look{name: t.Name(), kind: KindOther}, Node{Label: t.Name()})
		g.tasks[t] = n
	}
	return n
}

func (g *graft) element(l look, shown Node) int32 {
	n, ok := g.byLook[l]
	if !ok {
		n = int32(len(g.elements))
		g.elements = append(g.elements, shown)
		g.byLook[l] = n
	}
	return n
}

// add adds a sample along its path from the root.
func (g *graft) add(path []int32, own Figures) {
	at := 0
	g.node(at).Add(own)
	for _, e := range path {
		key := [1]uint64{uint64(at)<<32 | uint64(e)}
		at = g.keys.Index(key[:]) + 1
		g.node(at).Add(own)
	}
	g.node(at).Add(Figures{Self: own.Weight, SelfHits: own.Hits})
}

func (g *graft) tree() *Tree {
	t := NewTree(Node{})
	t.Nodes = slices.Grow(t.Nodes, g.keys.Len())
	t.Nodes[0].Figures = *g.node(0)
	for n := range g.keys.Len() {
		key := g.keys.Key(n)[0]
		node := g.elements[uint32(key)]
		node.Figures = *g.node(n + 1)
		t.Add(int32(key>>32), node)
	}
	var scratch []int32
	for n := range t.Nodes {
		scratch = t.sort(int32(n), scratch)
	}
	return t
}
