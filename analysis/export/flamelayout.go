package export

import (
	"cmp"
	"slices"
	"strings"

	"trapline/analysis"
)

// A box is a node of a tree with its position. The offset is in hits, or whatever
// the weight counts.
type box struct {
	node   int32 // number of the node
	level  int32 // 0 for the root
	offset uint64
}

// layout places the nodes that have at least the given weight: level by level, and
// from left to right by name, so that equal captures give equal pictures. It keeps
// only the limit widest nodes (among equally wide ones, those nearest to the root),
// because browsers freeze on hundreds of thousands. It returns the number of nodes
// left out.
func layout(t *analysis.Tree, least uint64, limit int) (boxes []box, left int) {
	boxes = placeNodes(t, least)
	if len(boxes) > limit {
		weights := make([]uint64, len(boxes))
		for i, b := range boxes {
			weights[i] = t.Nodes[b.node].Weight
		}
		slices.Sort(weights)
		boxes = widest(t, boxes, weights[len(weights)-limit], limit)
	}
	return boxes, len(t.Nodes) - len(boxes)
}

// widest keeps limit boxes: all that are wider than least, then the first ones that
// are as wide. Callers come first.
func widest(t *analysis.Tree, boxes []box, least uint64, limit int) []box {
	weight := func(b box) uint64 { return t.Nodes[b.node].Weight }
	for _, b := range boxes {
		if weight(b) > least {
			limit--
		}
	}
	return slices.DeleteFunc(boxes, func(b box) bool {
		if weight(b) == least {
			limit--
		}
		return weight(b) < least || weight(b) == least && limit < 0
	})
}

// A sibling is one of the children being placed.
type sibling struct {
	caption
	node int32
}

// placeNodes works breadth first, so a node is never placed without its caller,
// which is at least as wide.
func placeNodes(t *analysis.Tree, least uint64) []box {
	boxes := []box{{}}
	var siblings []sibling
	for i := 0; i < len(boxes); i++ {
		parent := boxes[i]
		siblings = siblings[:0]
		for c := range t.Children(parent.node) {
			siblings = append(siblings, sibling{captionOf(&t.Nodes[c]), c})
		}
		slices.SortFunc(siblings, func(a, b sibling) int { return a.compare(b.caption) })
		offset := parent.offset
		for _, s := range siblings {
			weight := t.Nodes[s.node].Weight
			if weight >= least {
				boxes = append(boxes, box{s.node, parent.level + 1, offset})
			}
			offset += weight
		}
	}
	return boxes
}

// A caption is what a picture shows of a node.
type caption struct {
	name  string // printable
	image string // base name; "" if none
	kind  analysis.CallKind
}

func captionOf(n *analysis.Node) caption {
	l := caption{name: printable(n.Name()), kind: analysis.KindOther}
	if n.Parent < 0 {
		l.name = "all"
	}
	if c := n.Call; c != nil {
		l.kind = c.Kind()
		if c.Image != nil && !c.Truncated {
			l.image = printable(c.Image.Name())
		}
	}
	return l
}

func (c caption) compare(o caption) int {
	return cmp.Or(strings.Compare(c.name, o.name), strings.Compare(c.image, o.image), cmp.Compare(c.kind, o.kind))
}
