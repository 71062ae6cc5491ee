package capture

import (
	"bytes"
	"encoding/binary"

	"trapline/bpf"
	"trapline/capture/layout"
	"trapline/format"
)

// A recordDecoder decodes the records of a probe's hits into column values.
type recordDecoder struct {
	fields  []layout.Field
	columns int
}

func newRecordDecoder(fields []layout.Field) recordDecoder {
	d := recordDecoder{fields: fields}
	for _, f := range fields {
		d.columns += int(f.Count)
	}
	return d
}

// shape declares the fields in the open segment of w.
func (d *recordDecoder) shape(w *format.Writer) format.ShapeID {
	var s format.Shape
	for _, f := range d.fields {
		size := f.Size
		if f.Type == format.FieldString || f.Type == format.FieldBytes {
			size = 0
		}
		field := format.Field{Name: w.String(f.Name), Type: f.Type, Size: uint8(size), Count: f.Count}
		if f.Names != "" {
			field.Names = w.String(f.Names)
		}
		s.Fields = append(s.Fields, field)
	}
	return w.Shape(s)
}

// decode appends one value per column. Fields beyond the end of the record are 0. It
// interns strings in w and turns code addresses into frames.
func (d *recordDecoder) decode(values []uint64, record []byte, w *format.Writer, symbol func(address uint64) format.FrameID) []uint64 {
	for i := range d.fields {
		f := &d.fields[i]
		if f.Dynamic || f.Type == format.FieldString || f.Type == format.FieldBytes {
			values = append(values, uint64(internBytes(w, f, record)))
			continue
		}
		at := int(f.Offset) - bpf.RecordOffset
		for range f.Count {
			v := integer(record, at, int(f.Size), f.Type == format.FieldInt)
			if f.Type == format.FieldSymbol {
				v = uint64(symbol(v))
			}
			values = append(values, v)
			at += int(f.Size)
		}
	}
	return values
}

// integer reads size bytes at an offset, or 0 if they lie outside the record.
func integer(record []byte, at, size int, signed bool) uint64 {
	if at < 0 || at+size > len(record) {
		return 0
	}
	b := record[at:]
	switch size {
	case 1:
		if signed {
			return uint64(int8(b[0]))
		}
		return uint64(b[0])
	case 2:
		v := binary.LittleEndian.Uint16(b)
		if signed {
			return uint64(int16(v))
		}
		return uint64(v)
	case 4:
		v := binary.LittleEndian.Uint32(b)
		if signed {
			return uint64(int32(v))
		}
		return uint64(v)
	case 8:
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// internBytes interns a string or byte field. The __data_loc word of a dynamic field is
// length<<16 | offset from the start of the trace record; 0 marks an unreadable string.
func internBytes(w *format.Writer, f *layout.Field, record []byte) format.StringID {
	at, n := int(f.Offset)-bpf.RecordOffset, int(f.Size)
	if f.Dynamic {
		word := integer(record, at, 4, false)
		if word == 0 {
			return 0
		}
		base := -bpf.RecordOffset
		if f.Relative {
			base = at + 4
		}
		at, n = base+int(word&0xffff), int(word>>16)
	}
	if at < 0 || at > len(record) {
		return 0
	}
	b := record[at:min(at+n, len(record))]
	if f.Show != layout.ShowText {
		return w.String(showAddress(f.Show, b))
	}
	if f.Type == format.FieldString {
		if end := bytes.IndexByte(b, 0); end >= 0 {
			b = b[:end]
		}
	}
	return w.StringBytes(b)
}
