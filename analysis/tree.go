package analysis

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// A Tree is a set of stacks merged by function from one end. Nodes are identified
// by their index in Nodes. Node 0 is the root, which stands for all merged hits.
// Parents precede their children.
type Tree struct {
	Nodes []Node
}

// A Node is a function below one caller, or above one callee.
type Node struct {
	Call  *Call  // nil for the root, a task or a probe
	Label string // name of a task or probe

	Parent int32 // -1 for the root
	First  int32 // heaviest child; 0 if there is none
	Next   int32 // next child of the parent; 0 for the last one

	Figures
}

// Figures are the counts of a node.
type Figures struct {
	Weight, Hits   uint64 // of the hits that pass through
	Self, SelfHits uint64 // of those that end here
}

// Add adds other figures.
func (f *Figures) Add(o Figures) {
	f.Weight += o.Weight
	f.Hits += o.Hits
	f.Self += o.Self
	f.SelfHits += o.SelfHits
}

// Name returns the name of the node in reports.
func (n *Node) Name() string {
	if n.Call == nil {
		return n.Label
	}
	return n.Call.Name()
}

// Children iterates over the numbers of the children of node n: by weight, heaviest
// first, then by name.
func (t *Tree) Children(n int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for c := t.Nodes[n].First; c != 0; c = t.Nodes[c].Next {
			if !yield(c) {
				return
			}
		}
	}
}

// NewTree returns a tree that consists of a root.
func NewTree(root Node) *Tree {
	root.Parent = -1
	return &Tree{Nodes: []Node{root}}
}

// Add adds a child before the other children of a node and returns its number.
func (t *Tree) Add(parent int32, child Node) int32 {
	n := int32(len(t.Nodes))
	child.Parent, child.Next = parent, t.Nodes[parent].First
	t.Nodes[parent].First = n
	t.Nodes = append(t.Nodes, child)
	return n
}

// sort sorts the children of a node and returns them. It reuses the memory of
// scratch.
func (t *Tree) sort(parent int32, scratch []int32) []int32 {
	children := slices.AppendSeq(scratch[:0], t.Children(parent))
	slices.SortFunc(children, func(a, b int32) int { return CompareNodes(&t.Nodes[a], &t.Nodes[b]) })
	next := int32(0)
	for _, c := range slices.Backward(children) {
		t.Nodes[c].Next = next
		next = c
	}
	t.Nodes[parent].First = next
	return children
}

// CompareNodes orders the children of a node.
func CompareNodes(a, b *Node) int {
	if a.Weight != b.Weight {
		return cmp.Compare(b.Weight, a.Weight)
	}
	if c := strings.Compare(a.Name(), b.Name()); c != 0 {
		return c
	}
	return strings.Compare(imageName(a.Call), imageName(b.Call))
}

func imageName(c *Call) string {
	if c == nil {
		return ""
	}
	return c.Image.Name()
}
