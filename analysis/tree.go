package analysis

import (
	"cmp"
	"strings"
)

// A Tree is stacks merged by function from one of their ends. Nodes are known by
// their numbers in Nodes: 0 is the root, which stands for all that the tree was made
// of, and a parent comes before its children.
type Tree struct {
	Nodes []Node
}

// A Node is a function below one caller (or above one callee).
type Node struct {
	Call  *Call  // nil: the node is no call
	Label string // of a node that is no call: the name of a task or a probe; "" of the root

	Parent int32 // number; -1 of the root
	// First and Count are the numbers of the children: First, First+1, …, the heaviest
	// first, then by name.
	First, Count int32

	Weight, Hits   uint64 // of the hits that pass through
	Self, SelfHits uint64 // of those that end here
}

// Name returns what reports call the node.
func (n *Node) Name() string {
	if n.Call == nil {
		return n.Label
	}
	return n.Call.Name()
}

// Children returns the children of the node with the number n. They are numbered
// from t.Nodes[n].First.
func (t *Tree) Children(n int32) []Node {
	first := t.Nodes[n].First
	return t.Nodes[first : first+t.Nodes[n].Count]
}

// attach gives the node with the number parent its children, which are in order.
func (t *Tree) attach(parent int32, children []Node) {
	t.Nodes[parent].First, t.Nodes[parent].Count = int32(len(t.Nodes)), int32(len(children))
	for i := range children {
		children[i].Parent = parent
	}
	t.Nodes = append(t.Nodes, children...)
}

func newTree(root Node) *Tree {
	root.Parent = -1
	return &Tree{Nodes: []Node{root}}
}

// compareNodes orders the children of a node.
func compareNodes(a, b *Node) int {
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
