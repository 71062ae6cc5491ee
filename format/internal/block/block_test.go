package block

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

func sealed(h Header, payload string) []byte {
	return append(h.Seal(nil, []byte(payload)), payload...)
}

func TestHeader(t *testing.T) {
	h := Header{Kind: Hits, Flags: 0x030201, Rows: 3, First: 4, TimeMin: 5, TimeMax: 6, Part: 7, Segment: 8}
	b := sealed(h, "payload")
	got, ok := parseHeader(b)
	h.Length, h.PayloadCRC, h.CRC = 7, checksum([]byte("payload")), checksum(b[:48])
	if !ok || got != h {
		t.Errorf("read %+v, %v; wrote %+v", got, ok, h)
	}
	for i := range HeaderSize {
		broken := bytes.Clone(b)
		broken[i] ^= 1
		if got, ok := parseHeader(broken); ok {
			t.Errorf("with byte %d changed: %+v", i, got)
		}
	}
	for _, bad := range []Header{{Kind: 0}, {Kind: Hits, Length: MaxPayload + 1}} {
		b := bad.Seal(nil, nil)
		if bad.Kind != 0 {
			b = bad.Seal(nil, make([]byte, MaxPayload+1))
		}
		if got, ok := parseHeader(b); ok {
			t.Errorf("a header with a valid checksum was taken: %+v", got)
		}
	}
}

// A scanner returns whole blocks in order, and where damage is.
func TestScanner(t *testing.T) {
	file, tasks, hits := sealed(Header{Kind: File}, Magic), sealed(Header{Kind: Tasks}, "tasks"), sealed(Header{Kind: Hits}, "hits")
	badPayload := bytes.Clone(tasks)
	badPayload[HeaderSize] ^= 1
	type gap struct {
		offset, length int
		reason         string
	}
	for name, test := range map[string]struct {
		input [][]byte
		kinds []Kind
		gaps  []gap
		err   error
	}{
		"whole":         {[][]byte{file, tasks, hits}, []Kind{File, Tasks, Hits}, nil, io.EOF},
		"nothing":       {nil, nil, nil, io.EOF},
		"bad payload":   {[][]byte{file, badPayload, hits}, []Kind{File, Hits}, []gap{{len(file), len(tasks), "TASKS block has a wrong checksum"}}, io.EOF},
		"between":       {[][]byte{file, []byte("between"), hits}, []Kind{File, Hits}, []gap{{len(file), 7, "no block begins here"}}, io.EOF},
		"at the end":    {[][]byte{file, []byte("garbage")}, []Kind{File}, []gap{{len(file), 7, "no block begins here"}}, io.EOF},
		"cut off":       {[][]byte{file, hits[:len(hits)-1]}, []Kind{File}, nil, ErrTruncated},
		"cut in header": {[][]byte{file, hits[:20]}, []Kind{File}, nil, ErrTruncated},
		"a sync inside": {[][]byte{file, []byte(Sync + Sync), hits}, []Kind{File, Hits}, []gap{{len(file), 8, "no block begins here"}}, io.EOF},
		"lost start":    {[][]byte{tasks[10:], hits}, []Kind{Hits}, []gap{{0, len(tasks) - 10, "no block begins here"}}, io.EOF},
		"cut, then two": {[][]byte{tasks[:HeaderSize+2], hits, hits}, []Kind{Hits, Hits}, []gap{{0, HeaderSize + 2, "TASKS block has a wrong checksum"}}, io.EOF},
	} {
		input := bytes.Join(test.input, nil)
		s := NewScanner(iotest.HalfReader(bytes.NewReader(input)))
		var kinds []Kind
		var gaps []gap
		for {
			b, damage, err := s.Next()
			if err != nil {
				if !errors.Is(err, test.err) {
					t.Errorf("%s: ends with %v, want %v", name, err, test.err)
				}
				break
			}
			if damage != nil {
				gaps = append(gaps, gap{int(damage.Offset), int(damage.Length), damage.Reason})
				continue
			}
			kinds = append(kinds, b.Kind)
			if !bytes.HasSuffix(input[:s.Offset()], b.Payload) || int(b.Offset)+HeaderSize+len(b.Payload) != int(s.Offset()) {
				t.Errorf("%s: %s at %d with %q ends at %d", name, b.Kind, b.Offset, b.Payload, s.Offset())
			}
		}
		if !slices.Equal(kinds, test.kinds) || !slices.Equal(gaps, test.gaps) {
			t.Errorf("%s: blocks %v, damage %v; want %v, %v", name, kinds, gaps, test.kinds, test.gaps)
		}
	}
}

func TestScannerReturnsInputErrors(t *testing.T) {
	input := io.MultiReader(bytes.NewReader(sealed(Header{Kind: File}, "")), iotest.ErrReader(io.ErrClosedPipe))
	s := NewScanner(input)
	if b, damage, err := s.Next(); err != nil || damage != nil || b.Kind != File {
		t.Errorf("%v, %v, %v", b, damage, err)
	}
	if _, _, err := s.Next(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

// Each kind has a unique name and columns in ascending order. Lists follow their lengths.
func TestSchema(t *testing.T) {
	for k := File; k <= SegmentEnd; k++ {
		if Named(k.String()) != k {
			t.Errorf("kind %d is called %s", k, k)
		}
		columns, ok := k.Columns()
		if !ok {
			t.Errorf("%s has no columns", k)
		}
		last := uint16(0)
		lengths := map[uint16]bool{}
		for _, c := range columns {
			if c.ID <= last || c.ID%2 != 0 {
				t.Errorf("%s: column %d follows column %d", k, c.ID, last)
			}
			if c.List != 0 && !lengths[c.List] || c.Lengths == (c.Name != "") || c.Text && c.List == 0 {
				t.Errorf("%s: column %+v", k, c)
			}
			last, lengths[c.ID] = c.ID, c.Lengths
		}
	}
	for _, k := range []Kind{0, SegmentEnd + 1, Skippable, 255} {
		if _, ok := k.Columns(); ok || Named(k.String()) != 0 {
			t.Errorf("%s is known", k)
		}
	}
	if Named("") != 0 {
		t.Error("there is a kind without a name")
	}
	for i := range 20 {
		if got := HitIndex(HitColumn(i)); got != i {
			t.Errorf("column %d of hits comes back as %d", i, got)
		}
	}
}

func TestFile(t *testing.T) {
	payload := append(AppendFile(nil, 3), "columns"...)
	version, columns, ok := ParseFile(payload)
	if !ok || version != 3 || string(columns) != "columns" || len(payload)-len(columns) != FileFixed {
		t.Errorf("version %d, %q, %v", version, columns, ok)
	}
	for _, bad := range [][]byte{nil, payload[:FileFixed-1], payload[1:]} {
		if _, _, ok := ParseFile(bad); ok {
			t.Errorf("%q begins as a FILE", bad)
		}
	}
}

func TestPlace(t *testing.T) {
	var p Place
	stamps := func(k Kind, part, segment uint32) {
		t.Helper()
		if a, b := p.Stamps(k); a != part || b != segment {
			t.Errorf("%s carries %d, %d; want %d, %d", k, a, b, part, segment)
		}
	}
	stamps(File, 0, 0)
	p.Pass(&Header{Kind: File, CRC: 7})
	stamps(Segment, 7, 0)
	p.Pass(&Header{Kind: Segment, CRC: 8})
	p.Pass(&Header{Kind: Tasks, CRC: 9})
	stamps(Hits, 7, 8)
	stamps(Segment, 7, 0)
	stamps(File, 0, 0)
	p.Pass(&Header{Kind: File, CRC: 10})
	stamps(Hits, 10, 0)
}
