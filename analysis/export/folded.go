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
	Help:  "one line a distinct stack and its hits, for FlameGraph, inferno and speedscope",
	Write: writeFolded,
}

// writeFolded writes "task;outermost;…;innermost hits" lines, sorted, each stack
// once: the input of flamegraph.pl and the output of its stackcollapse scripts.
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
	texts    map[*analysis.Call]string // with a semicolon at the end
	folds    []fold                    // of the nodes that are being written, from the root on
	out      *bufio.Writer
}

// A fold is a node with what lines say of it: the line of the hits that end there
// is one fold, the lines of what is below another, whose text ends in a semicolon.
// Their places in the order of lines differ: "a 1", "a.cold 1", "a;b 1".
type fold struct {
	text string
	node int32
}

func (f fold) own() bool { return !strings.HasSuffix(f.text, ";") }

// below writes the lines of what is below the nodes of the folds, which all begin
// with the line.
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
		same := folds[:n] // lines do not tell them apart
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

// children adds the folds of the children of all the nodes.
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

// appendFolded appends one frame. A semicolon separates frames, so it becomes a
// colon within one, as stackcollapse-perf.pl does it.
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
