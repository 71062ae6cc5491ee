package block

import (
	"errors"
	"fmt"
	"io"
)

// A Scanner finds whole blocks, whose checksums are right, and the damage between them.
type Scanner struct {
	src    source
	wasted int64 // bytes of damaged payloads that were checksummed
	end    error // to return after the last damage
}

// A Block is a whole block. It is valid until the next call to [Scanner.Next].
type Block struct {
	Header
	Offset  int64 // in the input
	Payload []byte
}

// Damage is a range of bytes without a whole block.
type Damage struct {
	Offset, Length int64 // in the input
	Reason         string
}

// ErrTruncated means that the input ends inside a block.
var ErrTruncated = errors.New("the input ends inside a block")

// NewScanner returns a scanner that reads r front to back.
func NewScanner(r io.Reader) *Scanner { return &Scanner{src: source{r: r}} }

// Peek returns the next n bytes without consuming them, or fewer with an error: io.EOF at
// the end of the input.
func (s *Scanner) Peek(n int) ([]byte, error) { return s.src.peek(n) }

// Offset returns the input offset of the next byte.
func (s *Scanner) Offset() int64 { return s.src.position() }

// maxWasted bounds the work that forged headers can cause, each of which may require a
// checksum of MaxPayload bytes. Beyond it, the scanner steps over damaged blocks as a whole.
const maxWasted = 1 << 30

// A state tells what is at a position of the input.
type state int

const (
	noBlock   state = iota // no header
	badBlock               // a header, but its payload is damaged
	cutBlock               // the beginning of a block, then the end of the input
	goodBlock              // a whole block
)

// Next returns the next block, or damage, or an error: io.EOF, ErrTruncated, or that of the
// input.
func (s *Scanner) Next() (*Block, *Damage, error) {
	if s.end != nil {
		return nil, nil, s.end
	}
	b, state := s.look()
	if state == goodBlock {
		s.src.skip(HeaderSize + len(b.Payload))
		return b, nil, nil
	}
	end := io.EOF
	if state == cutBlock {
		end = ErrTruncated
	}
	if s.src.empty() || !s.seek() {
		if err := s.src.failed(); err != nil {
			end = err
		}
		s.end = end
		if state == cutBlock || s.src.position() == b.Offset {
			return nil, nil, s.end
		}
	}
	return nil, &Damage{Offset: b.Offset, Length: s.src.position() - b.Offset, Reason: state.reason(b.Kind)}, nil
}

func (s state) reason(k Kind) string {
	switch s {
	case badBlock:
		return fmt.Sprintf("%s block has a wrong checksum", k)
	case cutBlock:
		return "block is cut off"
	}
	return "no block begins here"
}

// look examines the bytes at the current position without consuming them.
func (s *Scanner) look() (*Block, state) {
	at := &Block{Offset: s.src.position()}
	b, err := s.src.peek(HeaderSize)
	if err != nil {
		if n := min(len(b), len(Sync)); n > 0 && string(b[:n]) == Sync[:n] {
			return at, cutBlock
		}
		return at, noBlock
	}
	h, ok := parseHeader(b)
	if !ok {
		return at, noBlock
	}
	at.Header = h
	b, err = s.src.peek(HeaderSize + int(h.Length))
	if err != nil {
		return at, cutBlock
	}
	at.Payload = b[HeaderSize:]
	if checksum(at.Payload) != h.PayloadCRC {
		return at, badBlock
	}
	return at, goodBlock
}

// seek moves to the next whole block. It returns false at the end of the input.
func (s *Scanner) seek() bool {
	for {
		s.src.skip(1)
		if !s.src.seek(Sync) {
			return false
		}
		b, state := s.look()
		switch state {
		case goodBlock:
			return true
		case badBlock:
			if s.wasted += int64(b.Length); s.wasted > maxWasted {
				s.src.skip(HeaderSize + int(b.Length) - 1)
			}
		}
	}
}
