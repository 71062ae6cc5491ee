package analysistest

import (
	"fmt"
	"reflect"
	"testing"

	"trapline/analysis"
)

// ForRandom runs a test with several captures of [Random].
func ForRandom(t *testing.T, test func(t *testing.T, capture []byte, hits []Hit)) {
	for seed := range uint64(10) {
		capture, hits := Random(seed, 400)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { test(t, capture, hits) })
	}
}

// Same fails the test if two maps differ.
func Same[K comparable, V any](t testing.TB, what string, got, want map[K]V) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	for k := range want {
		if !reflect.DeepEqual(got[k], want[k]) {
			t.Errorf("%s: %v is %v, want %v", what, k, got[k], want[k])
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			t.Errorf("%s: there is %v with %v", what, k, got[k])
		}
	}
}

// CheckTree checks the links and the order of the nodes of an unpruned tree, and
// that no hit is lost or counted twice. It returns the weight of the root, or 0
// without a tree.
func CheckTree(t testing.TB, tree *analysis.Tree) (weight uint64) {
	t.Helper()
	if tree == nil {
		return 0
	}
	for number, n := range tree.Nodes {
		children, before := uint64(0), ^uint64(0)
		for c := range tree.Children(int32(number)) {
			child := &tree.Nodes[c]
			children += child.Weight
			if int(child.Parent) != number || int(c) <= number || child.Weight > before {
				t.Fatalf("child %d of node %d has the parent %d and weight %d after %d", c, number, child.Parent, child.Weight, before)
			}
			before = child.Weight
		}
		if got := n.Self + children; got != n.Weight {
			t.Fatalf("node %s has %d, its hits and children %d", n.Name(), n.Weight, got)
		}
	}
	return tree.Nodes[0].Weight
}
