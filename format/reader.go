package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// A Reader reads captures, including concatenated ones, front to back. It never seeks,
// so it reads pipes as well as files. One block and the dictionaries of one segment bound
// its memory (see [MaxPayload] and [MaxDictionaries]).
type Reader struct {
	scan   *block.Scanner
	queue  []Block // read, but not yet returned
	err    error   // sticky; returned once the queue is empty
	part   uint32  // checksum that identifies the part
	inPart bool
	// sequence is the highest sequence number of the part's segments.
	sequence uint64
	tag      uint32 // checksum that identifies the segment
	segment  *Segment
	open     bool // the segment has no SEGEND yet
	damaged  bool // damage has been reported since the segment began
	account  bool // decode only what the account needs
}

// NewReader returns a Reader after it has read the first block. It returns
// [ErrNotCapture] if the input does not begin as captures do, a [*VersionError] if the
// capture is too new for this package, or the error of the input.
func NewReader(r io.Reader) (*Reader, error) { return newReader(r, false) }

// NewAccountReader is like [NewReader], but decodes only what the account of hits needs:
// File, SegmentStart, Loss, SegmentEnd, and the strings and probes of segments. Hits have
// their number and time range, but no columns. The other dictionaries are empty. It
// verifies the checksums of all blocks, so it finds damage as any Reader does. It does
// not report consequential damage, such as symbols of lost frames.
func NewAccountReader(r io.Reader) (*Reader, error) { return newReader(r, true) }

func newReader(r io.Reader, account bool) (*Reader, error) {
	rd := &Reader{scan: block.NewScanner(r), account: account}
	start, err := rd.scan.Peek(block.HeaderSize + len(block.Magic))
	// One of the two marks is enough: if the other is damaged, only the FILE block is
	// lost.
	atMark := bytes.HasPrefix(start, []byte(block.Sync))
	if !atMark && (len(start) < block.HeaderSize+len(block.Magic) || string(start[block.HeaderSize:]) != block.Magic) {
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

// Offset returns the input offset of the next byte to read.
func (r *Reader) Offset() int64 { return r.scan.Offset() }

// Segment returns the dictionaries of the segment that the last block belongs to, or nil
// before the first segment.
func (r *Reader) Segment() *Segment { return r.segment }

// Next returns the next block. At the end it returns io.EOF if the capture is complete,
// [ErrTruncated] if it is not, or the error of the input. For damaged bytes it returns a
// [*Damage] and continues after them. After a [*VersionError] nothing more can be read.
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
		found, damage, err := r.scan.Next()
		if damage != nil {
			r.damage(damage.Offset, damage.Length, damage.Reason)
		}
		switch {
		case err != nil:
			if errors.Is(err, block.ErrTruncated) || errors.Is(err, io.EOF) && r.open {
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

// block handles a block with correct checksums.
func (r *Reader) block(b *block.Block) {
	if b.Flags != 0 {
		r.refuse(b, fmt.Errorf("block has unknown flags %#x", b.Flags))
		return
	}
	switch h := b.Header; {
	case h.Kind == block.File:
		r.leave(b.Offset)
		file, err := parseFile(b)
		if version := (*VersionError)(nil); errors.As(err, &version) {
			r.err = err
			return
		}
		if err != nil {
			r.refuse(b, err)
			file = &File{}
		}
		r.part, r.inPart, r.segment, r.sequence = h.CRC, true, nil, 0
		r.queue = append(r.queue, file)
	case h.Kind == block.Segment:
		r.leave(b.Offset)
		start, err := parseSegment(b)
		if err != nil {
			r.refuse(b, err)
			start = &SegmentStart{}
		}
		// Two parts with equal properties have the same checksum.
		if start.Sequence != 0 && start.Sequence <= r.sequence {
			r.inPart = false
		}
		r.enter(h.Part)
		r.sequence = max(r.sequence, start.Sequence)
		r.begin(start, h.CRC)
	case h.Kind < block.Skippable && h.Kind > block.SegmentEnd:
		r.refuse(b, fmt.Errorf("block has unknown kind %d", h.Kind))
	case h.Kind < block.Skippable:
		if !r.inPart || h.Part != r.part || r.segment == nil || h.Segment != r.tag {
			r.leave(b.Offset)
			r.enter(h.Part)
			r.begin(&SegmentStart{}, h.Segment)
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

// refuse reports a whole but unusable block as damage.
func (r *Reader) refuse(b *block.Block, err error) {
	r.damage(b.Offset, int64(block.HeaderSize+len(b.Payload)), err.Error())
}

// leave ends the current segment, which may lack its SEGEND block.
func (r *Reader) leave(offset int64) {
	if r.open && !r.damaged {
		r.damage(offset, 0, "the previous segment has no end: its recording was cut off")
	}
	r.open = false
}

// enter makes part the current one. If it was not, its FILE block was lost.
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

// inside handles a block of the open segment.
func (r *Reader) inside(b *block.Block) error {
	if r.account {
		switch b.Kind {
		case block.Hits:
			return r.hits(b.Header, nil, b.Offset)
		case block.Strings, block.Probes, block.Loss, block.SegmentEnd:
		default:
			return nil
		}
	}
	payload := b.Payload
	if b.Kind == block.Hits {
		payload = bytes.Clone(payload) // outlives the buffer it was read into
	}
	columns, err := column.Parse(payload)
	if err != nil {
		return err
	}
	switch h := b.Header; h.Kind {
	case block.Hits:
		return r.hits(h, columns, b.Offset)
	case block.Loss:
		loss, err := parseLoss(h, columns)
		if err != nil {
			return err
		}
		loss.Segment = r.segment
		r.queue = append(r.queue, loss)
	case block.SegmentEnd:
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

func (r *Reader) hits(h block.Header, columns column.Set, offset int64) error {
	if h.Rows > MaxHits {
		return fmt.Errorf("%d hits in one block, more than the maximum", h.Rows)
	}
	r.queue = append(r.queue, &Hits{
		Shape: ShapeID(h.First), Rows: int(h.Rows), TimeMin: h.TimeMin, TimeMax: h.TimeMax,
		Segment: r.segment, offset: offset, columns: columns, counted: r.account,
	})
	return nil
}
