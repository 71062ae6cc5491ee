package export_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"trapline/analysis/export"
	"trapline/format"
)

// svgBox is a drawn call.
type svgBox struct {
	Class string `xml:"class,attr"`
	X     uint64 `xml:"data-x,attr"`
	W     uint64 `xml:"data-w,attr"`
	Title string `xml:"title"`
	Text  string `xml:"text"`
	Rect  struct {
		X     string `xml:"x,attr"`
		Width string `xml:"width,attr"`
		Y     int    `xml:"y,attr"`
	} `xml:"rect"`
}

func parseSVG(t *testing.T, svg []byte) []svgBox {
	t.Helper()
	var doc struct {
		SVG []struct {
			ID    string   `xml:"id,attr"`
			Boxes []svgBox `xml:"g"`
		} `xml:"svg"`
	}
	if err := xml.Unmarshal(svg, &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.SVG {
		if s.ID == "frames" {
			return s.Boxes
		}
	}
	t.Fatal("the picture has no frames")
	return nil
}

func percent(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The positions and widths of boxes match their hits, and boxes are above their
// callers.
func TestFlamegraphGeometry(t *testing.T) {
	capture := testCapture(t)
	for _, icicle := range []bool{false, true} {
		boxes := parseSVG(t, convert(t, "flamegraph", export.Request{Icicle: icicle}, capture))
		for i, b := range boxes {
			x, width := percent(t, b.Rect.X), percent(t, b.Rect.Width)
			wantX, wantWidth := 100*float64(b.X)/allHits, 100*float64(b.W)/allHits
			if d := x - wantX; d < -0.001 || d > 0.001 {
				t.Errorf("%q: at %v %%, want %v", b.Title, x, wantX)
			}
			if d := wantWidth - width; d < -0.001 || d > 0.06 { // a gap of half a pixel
				t.Errorf("%q: %v %% wide, want %v", b.Title, width, wantWidth)
			}
			if i == 0 {
				continue
			}
			callers := 0
			for _, c := range boxes {
				below := c.Rect.Y-b.Rect.Y == 16
				if icicle {
					below = b.Rect.Y-c.Rect.Y == 16
				}
				if below && c.X <= b.X && b.X+b.W <= c.X+c.W {
					callers++
				}
			}
			if callers != 1 {
				t.Errorf("%q is on %d callers", b.Title, callers)
			}
		}
	}
}

// A graph with too many calls keeps the widest and says so.
func TestFlamegraphCap(t *testing.T) {
	const distinct = 12_000
	var out bytes.Buffer
	w, err := format.NewWriter(&out, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{t: t, Writer: w}
	b.check(w.StartSegment(format.Clock{}))
	probe := w.Probe(format.Probe{Name: w.String("p"), Period: 1, Shape: w.Shape(format.Shape{})})
	task := w.Task(format.Task{PID: 1, TID: 1, Comm: w.String("t")})
	for i := range distinct {
		f := b.frame(0, uint64(i), b.call(fmt.Sprintf("f%05d", i), "", 0, 0))
		h := format.Hit{Task: task, Probe: probe, UserStack: w.Stack(format.Stack{Frames: []format.FrameID{f}})}
		b.hit(h)
		if i%2 == 1 {
			b.hit(h)
		}
	}
	b.check(w.Symbols(b.symbols))
	b.check(w.Close())
	svg := convert(t, "flamegraph", export.Request{}, out.Bytes())
	boxes := parseSVG(t, svg)
	if len(boxes) != 10_000 {
		t.Errorf("%d boxes, want 10000", len(boxes))
	}
	wide := 0
	for _, b := range boxes {
		if b.W == 2 {
			wide++
		}
	}
	if wide != distinct/2 {
		t.Errorf("%d of the %d widest calls are shown", wide, distinct/2)
	}
	if want := "not shown: 2,002 of 12,001 calls"; !bytes.Contains(svg, []byte(want)) {
		t.Errorf("the picture does not say %q", want)
	}
}
