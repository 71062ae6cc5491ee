package export

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"

	"trapline/analysis"
)

var folded = Format{
	Name: "folded", Suffixes: []string{".folded", ".collapsed"},
	Help:  "one line per distinct stack, for FlameGraph, inferno and speedscope",
	Write: writeFolded,
}

// writeFolded writes sorted lines "task;outermost;…;innermost hits", one per
// distinct stack. This is the input format of flamegraph.pl and the output format
// of its stackcollapse scripts.
func writeFolded(w io.Writer, r *Request) (*Summary, error) {
	result, err := r.aggregate(r.merged())
	if err != nil {
		return nil, err
	}
	f := folder{
		tree:     r.tree(result, true),
		annotate: r.Annotate,
		texts:    map[*analysis.Call]string{},
		out:      bufio.NewWriter(w),
	}
	f.below(nil, []fold{{node: 0}})
	return result, f.out.Flush()
}

// A folder writes the lines of a tree.
type folder struct {
	tree     *analysis.Tree
	annotate bool
	texts    map[*analysis.Call]string // ends in a semicolon
	folds    []fold                    // stack of the folds being written
	out      *bufio.Writer
}

// A fold is a node together with text for it in lines. A node has up to two folds:
// one for the line of the hits that end there, and one, ending in a semicolon, for
// the lines of its descendants. The two sort differently: "a 1", "a.cold 1", "a;b
// 1".
type fold struct {
	text string
	node int32
}

func (f fold) own() bool { return !strings.HasSuffix(f.text, ";") }

// below writes the lines of the descendants of the given folds, which share the
// same line prefix.
func (f *folder) below(line []byte, above []fold) {
	start := len(f.folds)
	f.children(above)
	folds := f.folds[start:]
	slices.SortFunc(folds, func(a, b fold) int { return strings.Compare(a.text, b.text) })
	for len(folds) > 0 {
		n := 1
		for n < len(folds) && folds[n].text == folds[0].text {
			n++
		}
		same := folds[:n] // equal text
		folds = folds[n:]
		line := append(line, same[0].text...)
		if same[0].own() {
			f.write(line, same)
		} else {
			f.below(line, same)
		}
	}
	f.folds = f.folds[:start]
}

// children appends the folds of the children of all given nodes.
func (f *folder) children(above []fold) {
	for _, a := range above {
		for c := range f.tree.Children(a.node) {
			n := &f.tree.Nodes[c]
			text := f.text(n)
			if n.Self > 0 {
				f.folds = append(f.folds, fold{strings.TrimSuffix(text, ";"), c})
			}
			if n.First != 0 {
				f.folds = append(f.folds, fold{text, c})
			}
		}
	}
}

func (f *folder) text(n *analysis.Node) string {
	if n.Call == nil {
		return string(appendFolded(nil, printable(n.Name()), false, analysis.KindOther)) + ";"
	}
	text, ok := f.texts[n.Call]
	if !ok {
		text = string(appendFolded(nil, printable(n.Name()), f.annotate, n.Call.Kind())) + ";"
		f.texts[n.Call] = text
	}
	return text
}

func (f *folder) write(line []byte, same []fold) {
	weight := uint64(0)
	for _, s := range same {
		weight += f.tree.Nodes[s.node].Self
	}
	f.out.Write(line)
	f.out.WriteByte(' ')
	f.out.WriteString(strconv.FormatUint(weight, 10))
	f.out.WriteByte('\n')
}

// appendFolded appends a frame. Semicolons separate frames, so within a name they
// become colons, as in stackcollapse-perf.pl.
func appendFolded(dst []byte, name string, annotate bool, k analysis.CallKind) []byte {
	dst = append(dst, strings.ReplaceAll(name, ";", ":")...)
	if !annotate {
		return dst
	}
	switch k {
	case analysis.KindKernel:
		return append(dst, "_[k]"...)
	case analysis.KindInlined:
		return append(dst, "_[i]"...)
	}
	return dst
}
