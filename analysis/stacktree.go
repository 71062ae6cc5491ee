package analysis

import (
	"cmp"
	"slices"
)

// NewTree merges the stacks of samples, which must have been counted by probe, task
// and stacks: from their outermost callers with caller set, otherwise from their
// innermost calls. Calls are one node if reports show nothing that tells them apart: name,
// image and kind. The task is the outermost of all, and a hit without stacks stands for its
// probe. Weights are those that weigh gives to a sample; samples of weight 0 are left out.
func NewTree(samples []Sample, caller bool, weigh func(*Sample) uint64) *Tree {
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
		g.add(path, figures{weight: w, hits: s.Hits})
	}
	return g.tree()
}

// A look is what reports show of a call. Calls that look alike are one element.
type look struct {
	name, image string
	kind        CallKind
}

// A graft is a tree that stacks are being added to.
type graft struct {
	elements []Node         // what nodes of an element show
	byLook   map[look]int32 // into elements
	byCall   []int32        // by Call.index: into elements, plus 1
	keys     *table         // parent<<32 | element
	nodes    []graftNode    // 0 is the root; others are keys plus 1
	tasks    map[Task]int32 // into elements
	probes   map[*Probe]int32
}

type graftNode struct {
	parent, element int32
	figures
}

func newGraft() *graft {
	return &graft{
		byLook: make(map[look]int32), keys: newTable(1), nodes: []graftNode{{parent: noNode}},
		tasks: make(map[Task]int32), probes: make(map[*Probe]int32),
	}
}

// path appends the elements of a sample to dst, the innermost call first.
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
	if n := int(c.index) + 1 - len(g.byCall); n > 0 {
		g.byCall = append(g.byCall, make([]int32, n)...)
	}
	if n := g.byCall[c.index]; n != 0 {
		return n - 1
	}
	l := look{name: c.Name(), kind: c.Kind()}
	if c.Image != nil && !c.Truncated {
		l.image = c.Image.Name()
	}
	n := g.element(l, Node{Call: c})
	g.byCall[c.index] = n + 1
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

// add adds a sample's path, from the root on.
func (g *graft) add(path []int32, own figures) {
	at := int32(0)
	g.nodes[at].add(own)
	for _, e := range path {
		key := [1]uint64{uint64(at)<<32 | uint64(e)}
		n := int32(g.keys.index(key[:]) + 1)
		if int(n) == len(g.nodes) {
			g.nodes = append(g.nodes, graftNode{parent: at, element: e})
		}
		g.nodes[n].add(own)
		at = n
	}
	g.nodes[at].add(figures{self: own.weight, selfHits: own.hits})
}

// tree numbers the nodes anew, level by level.
func (g *graft) tree() *Tree {
	first, next := make([]int32, len(g.nodes)), make([]int32, len(g.nodes))
	for n := len(g.nodes) - 1; n > 0; n-- {
		// A parent is older than its children, so none has the root's number 0.
		parent := g.nodes[n].parent
		next[n], first[parent] = first[parent], int32(n)
	}
	root := Node{}
	g.nodes[0].addTo(&root)
	t := newTree(root)
	t.Nodes = slices.Grow(t.Nodes, len(g.nodes)-1)
	type child struct {
		Node
		from int32
	}
	from := make([]int32, 1, len(g.nodes)) // by number in the tree: number here
	var children []child
	var nodes []Node
	for n := int32(0); int(n) < len(t.Nodes); n++ {
		children, nodes = children[:0], nodes[:0]
		for c := first[from[n]]; c != 0; c = next[c] {
			node := g.elements[g.nodes[c].element]
			g.nodes[c].addTo(&node)
			children = append(children, child{node, c})
		}
		slices.SortFunc(children, func(a, b child) int { return compareNodes(&a.Node, &b.Node) })
		for _, c := range children {
			nodes, from = append(nodes, c.Node), append(from, c.from)
		}
		t.attach(n, nodes)
	}
	return t
}
