package export

import (
	"cmp"
	"slices"
	"strings"
)

// A node is a call under one caller, with everything below it.
type node struct {
	*step
	total    uint64
	children []*node
}

// A tree merges stacks by name from their outermost calls.
type tree struct {
	root  node
	nodes int // under the root
}

type childKey struct {
	parent *node
	step   *step
}

// buildTree merges the samples of a result. With reverse, stacks are merged from
// their innermost calls and end with the task.
func buildTree(result *Summary, r *Request) *tree {
	t := &tree{root: node{step: &step{name: "all", kind: kindOther}}}
	byKey := map[childKey]*node{}
	names := newNamer()
	var path []*step
	for i := range result.Samples {
		s := &result.Samples[i]
		n := r.value(s)
		if n == 0 {
			continue
		}
		path = names.chain(path[:0], s.Probe, s.Kernel, s.User)
		path = append(path, names.marker(taskName(s.Task)))
		if !r.Reverse {
			slices.Reverse(path)
		}
		at := &t.root
		at.total += n
		for _, st := range path {
			key := childKey{at, st}
			child := byKey[key]
			if child == nil {
				child = &node{step: st}
				byKey[key] = child
				at.children = append(at.children, child)
				t.nodes++
			}
			child.total += n
			at = child
		}
	}
	return t
}

// A box is a node with its place: offset and width count hits.
type box struct {
	*node
	level  int // 0: the root
	offset uint64
}

// layout places the nodes of at least the given total, level by level from left
// to right in the order of names, so that equal captures give equal pictures. Of
// more than limit nodes the widest are kept: a page of hundreds of thousands
// freezes browsers (of equally wide ones, those nearest to the root). It returns the number of nodes without a place.
func (t *tree) layout(least uint64, limit int) (boxes []box, left int) {
	boxes = t.place(least)
	if len(boxes) > limit {
		totals := make([]uint64, len(boxes))
		for i, b := range boxes {
			totals[i] = b.total
		}
		slices.Sort(totals)
		boxes = widest(boxes, totals[len(totals)-limit], limit)
	}
	return boxes, t.nodes + 1 - len(boxes)
}

// widest keeps limit boxes: all that are wider than the least, then those as wide
// in their order, in which callers come first.
func widest(boxes []box, least uint64, limit int) []box {
	for _, b := range boxes {
		if b.total > least {
			limit--
		}
	}
	return slices.DeleteFunc(boxes, func(b box) bool {
		if b.total == least {
			limit--
		}
		return b.total < least || b.total == least && limit < 0
	})
}

// place is breadth first: no node is placed without its caller, which is at least
// as wide.
func (t *tree) place(least uint64) []box {
	boxes := []box{{node: &t.root}}
	for i := 0; i < len(boxes); i++ {
		parent := boxes[i]
		slices.SortFunc(parent.children, func(a, b *node) int {
			return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.image, b.image), cmp.Compare(a.kind, b.kind))
		})
		offset := parent.offset
		for _, child := range parent.children {
			if child.total >= least {
				boxes = append(boxes, box{child, parent.level + 1, offset})
			}
			offset += child.total
		}
	}
	return boxes
}
