package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A Reader reads captures, joined ones too, from front to back. It never seeks,
// so it reads pipes as well as files. Memory is bounded by one block and the
// dictionaries of one segment (see [MaxPayload] and [MaxDictionaries]).
type Reader struct {
	scan   scanner
	queue  []Block // found, not returned yet
	err    error   // what Next returns when the queue is empty, for good
	part   uint32  // checksum that the blocks of the part carry
	inPart bool
	// sequence is the highest of the part's segments.
	sequence uint64
	tag      uint32 // checksum that the blocks of the segment carry
	segment  *Segment
	open     bool // SEGEND is still to come
	damaged  bool // damage has been reported since the segment began
	account  bool // decode only what the account needs
}

// NewReader reads the first block. It returns [ErrNotCapture] if the input does
// not begin as a capture does, a [*VersionError] if this package is too old for
// it, or the input's own error.
func NewReader(r io.Reader) (*Reader, error) { return newReader(r, false) }

// NewAccountReader is [NewReader] for those who ask only how many hits there are and
// what became of the others. It decodes the blocks that the account needs: File,
// SegmentStart, Loss, SegmentEnd, and the strings and probes of segments. Hits have
// their number and range of times, but no columns. The other dictionaries are empty.
// The checksums of all blocks are verified, so that damage is found as by any Reader;
// only what follows from it, as for symbols of frames that were lost, is not.
func NewAccountReader(r io.Reader) (*Reader, error) { return newReader(r, true) }

func newReader(r io.Reader, account bool) (*Reader, error) {
	rd := &Reader{scan: scanner{src: source{r: r}}, account: account}
	start, err := rd.scan.src.peek(headerSize + len(magic))
	// One of the two marks is enough, so that damage to the other loses no more
	// than the FILE block.
	atMark := bytes.HasPrefix(start, []byte(syncMark))
	if !atMark && (len(start) < headerSize+len(magic) || string(start[headerSize:]) != magic) {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, ErrNotCapture
	}
	rd.advance()
	if len(rd.queue) == 0 && !errors.Is(rd.err, io.EOF) && !errors.Is(rd.err, ErrTruncated) {
		return nil, rd.err
	}
	return rd, nil
}

// Offset returns the offset in the input of the next byte to be read.
func (r *Reader) Offset() int64 { return r.scan.src.position() }

// Segment returns the dictionaries of the segment that the last block belongs to,
// nil before the first.
func (r *Reader) Segment() *Segment { return r.segment }

// Next returns the next block. At the end it returns io.EOF if the capture is
// complete, [ErrTruncated] if it is not, or the input's own error. Damaged bytes
// are a [*Damage] block, and reading goes on behind them. After a [*VersionError]
// nothing more can be read.
func (r *Reader) Next() (Block, error) {
	for len(r.queue) == 0 {
		if r.err != nil {
			return nil, r.err
		}
		r.advance()
	}
	b := r.queue[0]
	r.queue = r.queue[1:]
	return b, nil
}

// advance reads until there is something to return.
func (r *Reader) advance() {
	for len(r.queue) == 0 && r.err == nil {
		found, damage, err := r.scan.next()
		if damage != nil {
			r.damage(damage.Offset, damage.Length, damage.Reason)
		}
		switch {
		case err != nil:
			if errors.Is(err, io.EOF) && r.open {
				err = ErrTruncated
			}
			r.err = err
		case found != nil:
			r.block(found)
		}
	}
}

func (r *Reader) damage(offset, length int64, reason string) {
	r.damaged = true
	r.queue = append(r.queue, &Damage{Offset: offset, Length: length, Reason: reason})
}

// block takes a block whose checksums are right.
func (r *Reader) block(b *found) {
	if b.flags != 0 {
		r.refuse(b, fmt.Errorf("block has the unknown flags %#x", b.flags))
		return
	}
	switch h := b.header; {
	case h.kind == kindFile:
		r.leave(b.offset)
		file, err := parseFile(b)
		if version := (*VersionError)(nil); errors.As(err, &version) {
			r.err = err
			return
		}
		if err != nil {
			r.refuse(b, err)
			file = &File{}
		}
		r.part, r.inPart, r.segment, r.sequence = h.headerCRC, true, nil, 0
		r.queue = append(r.queue, file)
	case h.kind == kindSegment:
		r.leave(b.offset)
		start, err := parseSegment(b)
		if err != nil {
			r.refuse(b, err)
			start = &SegmentStart{}
		}
		// Two parts with the same properties have the same checksum.
		if start.Sequence != 0 && start.Sequence <= r.sequence {
			r.inPart = false
		}
		r.enter(h.part)
		r.sequence = max(r.sequence, start.Sequence)
		r.begin(start, h.headerCRC)
	case h.kind < skippable && h.kind > kindSegmentEnd:
		r.refuse(b, fmt.Errorf("block is of the unknown kind %d", h.kind))
	case h.kind < skippable:
		if !r.inPart || h.part != r.part || r.segment == nil || h.segment != r.tag {
			r.leave(b.offset)
			r.enter(h.part)
			r.begin(&SegmentStart{}, h.segment)
		}
		if !r.open {
			r.refuse(b, errors.New("block follows the end of its segment"))
			return
		}
		if err := r.inside(b); err != nil {
			r.refuse(b, err)
		}
	}
}

// refuse reports a whole block that cannot be used.
func (r *Reader) refuse(b *found, err error) {
	r.damage(b.offset, int64(headerSize+len(b.payload)), err.Error())
}

// leave ends a segment that had no SEGEND block.
func (r *Reader) leave(offset int64) {
	if r.open && !r.damaged {
		r.damage(offset, 0, "the segment before has no end: its recording was cut off")
	}
	r.open = false
}

// enter makes part the current one; if it is not, its FILE block was lost.
func (r *Reader) enter(part uint32) {
	if r.inPart && r.part == part {
		return
	}
	r.part, r.inPart, r.sequence = part, true, 0
	r.queue = append(r.queue, &File{})
}

func (r *Reader) begin(start *SegmentStart, tag uint32) {
	r.segment = &Segment{start: *start}
	r.tag, r.open, r.damaged = tag, true, false
	r.queue = append(r.queue, start)
}

// inside takes a block of the open segment.
func (r *Reader) inside(b *found) error {
	if r.account {
		switch b.kind {
		case kindHits:
			return r.hits(b.header, nil, b.offset)
		case kindStrings, kindProbes, kindLoss, kindSegmentEnd:
		default:
			return nil
		}
	}
	payload := b.payload
	if b.kind == kindHits {
		payload = bytes.Clone(payload) // outlives the window that it was read in
	}
	columns, err := parseColumns(payload)
	if err != nil {
		return err
	}
	switch h := b.header; h.kind {
	case kindHits:
		return r.hits(h, columns, b.offset)
	case kindLoss:
		loss, err := parseLoss(h, columns)
		if err != nil {
			return err
		}
		loss.Segment = r.segment
		r.queue = append(r.queue, loss)
	case kindSegmentEnd:
		end, err := parseSegmentEnd(columns)
		if err != nil {
			return err
		}
		end.Segment = r.segment
		r.open = false
		r.queue = append(r.queue, end)
	default:
		return r.segment.take(h, columns)
	}
	return nil
}

func (r *Reader) hits(h header, columns []column, offset int64) error {
	if h.rows > MaxHits {
		return fmt.Errorf("%d hits in one block", h.rows)
	}
	r.queue = append(r.queue, &Hits{
		Shape: ShapeID(h.first), Rows: int(h.rows), TimeMin: h.tmin, TimeMax: h.tmax,
		Segment: r.segment, offset: offset, columns: columns, counted: r.account,
	})
	return nil
}

func parseFile(b *found) (*File, error) {
	if len(b.payload) < fileFixed || string(b.payload[:len(magic)]) != magic {
		return nil, errors.New("block of kind FILE does not begin as one")
	}
	f := &File{Version: binary.LittleEndian.Uint16(b.payload[len(magic):])}
	if f.Version > Version {
		return nil, &VersionError{Major: f.Version}
	}
	columns, err := parseColumns(b.payload[fileFixed:])
	if err != nil {
		return nil, err
	}
	if b.rows > MaxColumns {
		return nil, fmt.Errorf("%d properties", b.rows)
	}
	keys, err := texts(columns, int(b.rows), fileKeyLength, fileKey)
	if err != nil {
		return nil, err
	}
	values, err := texts(columns, int(b.rows), fileValueLength, fileValue)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		f.Properties = append(f.Properties, Property{keys[i], values[i]})
	}
	return f, nil
}

func parseSegment(b *found) (*SegmentStart, error) {
	columns, err := parseColumns(b.payload)
	if err != nil {
		return nil, err
	}
	v, err := singles(columns, segmentSequence, segmentMonotonic, segmentBoottime, segmentRealtime)
	if err != nil {
		return nil, err
	}
	return &SegmentStart{Sequence: v[0], Clock: Clock{Monotonic: v[1], Boottime: v[2], Realtime: v[3]}}, nil
}

func parseSegmentEnd(columns []column) (*SegmentEnd, error) {
	v, err := singles(columns, endStrings, endImages, endFrames, endStacks, endTasks, endShapes, endProbes, endHits)
	if err != nil {
		return nil, err
	}
	return &SegmentEnd{Strings: v[0], Images: v[1], Frames: v[2], Stacks: v[3], Tasks: v[4], Shapes: v[5], Probes: v[6], Hits: v[7]}, nil
}

func parseLoss(h header, columns []column) (*Loss, error) {
	if h.rows > MaxValues {
		return nil, fmt.Errorf("%d counts in one block", h.rows)
	}
	c, err := several(columns, int(h.rows), lossProbe, lossCPU, lossCause, lossCount)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max32, "probe"), fit(c[1], max32, "CPU"), fit(c[2], max8, "cause")); err != nil {
		return nil, err
	}
	loss := &Loss{Time: h.tmin, Counts: make([]Count, h.rows)}
	for i := range loss.Counts {
		loss.Counts[i] = Count{ProbeID(c[0][i]), uint32(c[1][i]), Cause(c[2][i]), c[3][i]}
	}
	return loss, nil
}
