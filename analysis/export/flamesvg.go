package export

import (
	"bufio"
	_ "embed"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"trapline/analysis"
)

var (
	//go:embed flamegraph.css
	flameStyle string
	//go:embed flamegraph.js
	flameScript string
)

// Dimensions of the picture, in pixels. The width applies without script; with
// script the picture follows the window.
const (
	width     = 1200
	margin    = 10
	inner     = width - 2*margin
	rowHeight = 16
	boxHeight = 15
	head      = 82
	charWidth = 7.25 // of the 12 px monospace text
	// maxLabel bounds the name of a box in bytes. Templates have names of
	// kilobytes.
	maxLabel = 400
	// narrowest is the width from which boxes are drawn. Narrower boxes appear when
	// zooming or searching, but must not make the picture taller: the deepest
	// stacks of a system are rare, and their hairline towers would fill most of it.
	narrowest = 0.3
)

// shades are the colors of the boxes by kind. The hash of the name picks one, so
// that a function has the same color in every picture.
var shades = [...][8]string{
	analysis.KindUser:    {"#f3b13f", "#f5d65c", "#f6d179", "#f3dd49", "#f5d466", "#f7d082", "#f4d952", "#f6d26f"},
	analysis.KindKernel:  {"#ee6758", "#f19570", "#f39b88", "#ef9460", "#f29778", "#f49d90", "#f09568", "#f29880"},
	analysis.KindInlined: {"#6ec4b3", "#81cbcb", "#93d3cb", "#74c1c6", "#87cecb", "#9ad6cc", "#7bc7c9", "#8dd1cb"},
	analysis.KindOther:   {"#bfc7cf", "#c9ced6", "#d3d8de", "#c2c7d1", "#ccd1d9", "#d6dbe0", "#c6cbd4", "#d0d5db"},
}

var kindNames = [...]string{analysis.KindUser: "user", analysis.KindKernel: "kernel", analysis.KindInlined: "inlined", analysis.KindOther: "other"}

// kindClasses are the first letters of the style classes of the boxes.
const kindClasses = "ukio"

// A picture is a flame graph ready to be drawn.
type picture struct {
	title, subtitle, omitted, unit string
	icicle                         bool
	tree                           *analysis.Tree
	boxes                          []box // starting with the root
}

func (p *picture) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	levels := 0
	for _, b := range p.boxes {
		if p.visible(b) {
			levels = max(levels, int(b.level)+1)
		}
	}
	// The details line is next to the root, where readers start.
	body := levels * rowHeight
	top, details := head, head+body+18
	if p.icicle {
		top, details = head+22, head+12
	}
	height := head + body + 32
	fmt.Fprintf(out, `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="%d" height="%d" role="img" aria-label="%s">
`, width, height, escape(p.title))
	p.style(out)
	fmt.Fprintf(out, "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n")
	fmt.Fprintf(out, "<text class=\"title\" x=\"%d\" y=\"27\">%s</text>\n", margin, escape(cut(p.title, 85)))
	fmt.Fprintf(out, "<text class=\"note\" x=\"%d\" y=\"47\">%s</text>\n", margin, escape(cut(p.subtitle, 160)))
	p.legend(out)
	fmt.Fprintf(out, "<text id=\"details\" x=\"%d\" y=\"%d\"></text>\n", margin, details)
	controls(out)
	fmt.Fprintf(out, "<svg id=\"frames\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\">\n", margin, top, inner, body)
	for _, b := range p.boxes {
		level := levels - 1 - int(b.level)
		if p.icicle {
			level = int(b.level)
		}
		p.box(out, b, level*rowHeight)
	}
	fmt.Fprintf(out, "</svg>\n<script><![CDATA[\n%s]]></script>\n</svg>\n", flameScript)
	return out.Flush()
}

func (p *picture) style(out *bufio.Writer) {
	out.WriteString("<style>\n" + flameStyle)
	for k, colours := range shades {
		for i, c := range colours {
			fmt.Fprintf(out, ".%c%d rect { fill: %s; }\n", kindClasses[k], i, c)
		}
	}
	out.WriteString("</style>\n")
}

// legend explains the colors in use and says what is not shown.
func (p *picture) legend(out *bufio.Writer) {
	x := margin
	for k := range analysis.CallKind(len(shades)) {
		if !slices.ContainsFunc(p.boxes, func(b box) bool { return captionOf(&p.tree.Nodes[b.node]).kind == k }) {
			continue
		}
		fmt.Fprintf(out, "<g class=\"%c1\"><rect x=\"%d\" y=\"57\" width=\"12\" height=\"12\"/><text x=\"%d\" y=\"67.5\">%s</text></g>\n",
			kindClasses[k], x, x+17, kindNames[k])
		x += 17 + int(charWidth*float64(len(kindNames[k]))) + 18
	}
	if p.omitted != "" {
		fmt.Fprintf(out, "<text class=\"note\" x=\"%d\" y=\"67.5\">%s</text>\n", x, escape(p.omitted))
	}
}

// controls are anchored to the right edge. Those that need the script are hidden
// until it runs.
func controls(out *bufio.Writer) {
	out.WriteString(`<svg x="100%" y="0" width="1" height="70" overflow="visible">
<g id="reset" class="button hide"><rect x="-182" y="10" width="94" height="23" rx="4"/><text x="-135" y="25.5" text-anchor="middle">Reset zoom</text></g>
<g id="search" class="button hide"><rect x="-80" y="10" width="70" height="23" rx="4"/><text x="-45" y="25.5" text-anchor="middle">Search</text><title>Ctrl-F</title></g>
<text id="matched" x="-10" y="67.5" text-anchor="end"></text>
</svg>
`)
}

func (p *picture) weight(b box) uint64 { return p.tree.Nodes[b.node].Weight }

func (p *picture) share(n uint64) float64 {
	return float64(n) / float64(max(p.tree.Nodes[0].Weight, 1))
}

func (p *picture) pixels(b box) float64 {
	if p.weight(b) == p.tree.Nodes[0].Weight {
		return inner
	}
	return p.share(p.weight(b)) * inner
}

func (p *picture) visible(b box) bool { return p.pixels(b) >= narrowest }

func (p *picture) box(out *bufio.Writer, b box, y int) {
	share, px := p.share, p.pixels(b)
	gap := 0.0 // between neighbors, if there is room
	if px > 3 {
		gap = 0.5
	}
	c := captionOf(&p.tree.Nodes[b.node])
	name := c.name
	if len(name) > maxLabel {
		name = strings.ToValidUTF8(name[:maxLabel], "") + "…"
	}
	hide := ""
	if !p.visible(b) {
		hide = " hide"
	}
	fmt.Fprintf(out, `<g class="%c%d%s" data-x="%d" data-w="%d"><title>%s`, kindClasses[c.kind], shade(c.name), hide, b.offset, p.weight(b), escape(name))
	out.WriteByte('\n')
	if c.image != "" {
		out.WriteString(escape(cut(c.image, maxLabel)) + " · ")
	}
	if c.kind != analysis.KindOther {
		out.WriteString(kindNames[c.kind] + " · ")
	}
	fmt.Fprintf(out, `%s %s · %.2f %%</title><rect x="%s%%" y="%d" width="%s%%" height="%d"/>`, group(p.weight(b)), escape(printable(p.unit)),
		100*share(p.weight(b)), decimal(100*share(b.offset)), y, decimal(100*(px-gap)/inner), boxHeight)
	if label := cut(name, int((px-6)/charWidth)); label != "" {
		fmt.Fprintf(out, `<text x="%s%%" y="%.1f">%s</text>`, decimal(100*share(b.offset)+100*3.0/inner), float64(y)+11.5, escape(label))
	}
	out.WriteString("</g>\n")
}

func shade(name string) uint32 {
	h := fnv.New32a()
	io.WriteString(h, name)
	return h.Sum32() % uint32(len(shades[0]))
}

// cut shortens text to at most room characters, ending in an ellipsis. It returns
// "" if there is room for less than three.
func cut(text string, room int) string {
	if room < 3 {
		return ""
	}
	if len(text) <= room || utf8.RuneCountInString(text) <= room {
		return text
	}
	return string([]rune(text)[:room-1]) + "…"
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// escape escapes printable text for XML text and attributes.
func escape(s string) string { return escaper.Replace(s) }

// decimal formats a percentage to a thousandth of a pixel.
func decimal(f float64) string {
	s := strconv.FormatFloat(f, 'f', 4, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// group formats a number with thousands separators.
func group(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
