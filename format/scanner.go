package format

import (
	"fmt"
	"io"
)

// A scanner finds blocks whose checksums are right, and what lies between them.
type scanner struct {
	src    source
	wasted int64 // bytes of payloads whose checksum was computed in vain
	end    error // found after the damage that next returned
}

// A found block is valid until the next call of next.
type found struct {
	header
	flags   uint32
	offset  int64
	payload []byte
}

// maxWasted bounds the work that forged headers can cause: each may ask for the
// checksum of MaxPayload bytes. Beyond it, a damaged block is stepped over whole.
const maxWasted = 1 << 30

// A state says what there is at one place of the input.
type state int

const (
	noBlock   state = iota // no header
	badBlock               // a header, but its payload is damaged
	cutBlock               // the beginning of a block: then the input ends
	goodBlock              // a whole block
)

// next returns the next block, or damage, or an error: io.EOF, ErrTruncated, or
// the input's own.
func (s *scanner) next() (*found, *Damage, error) {
	if s.end != nil {
		return nil, nil, s.end
	}
	b, state := s.look()
	if state == goodBlock {
		s.src.skip(headerSize + len(b.payload))
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
		if state == cutBlock || s.src.position() == b.offset {
			return nil, nil, s.end
		}
	}
	return nil, &Damage{Offset: b.offset, Length: s.src.position() - b.offset, Reason: state.reason(b.kind)}, nil
}

func (s state) reason(k kind) string {
	switch s {
	case badBlock:
		return fmt.Sprintf("%s block has a wrong checksum", k)
	case cutBlock:
		return "block is cut off"
	}
	return "no block begins here"
}

// look examines the bytes at the current position.
func (s *scanner) look() (*found, state) {
	at := &found{offset: s.src.position()}
	b, err := s.src.peek(headerSize)
	if err != nil {
		if n := min(len(b), len(syncMark)); n > 0 && string(b[:n]) == syncMark[:n] {
			return at, cutBlock
		}
		return at, noBlock
	}
	h, ok := parseHeader(b)
	if !ok {
		return at, noBlock
	}
	at.header, at.flags = h, flags(b)
	b, err = s.src.peek(headerSize + int(h.payload))
	if err != nil {
		return at, cutBlock
	}
	at.payload = b[headerSize:]
	if checksum(at.payload) != h.payloadCRC {
		return at, badBlock
	}
	return at, goodBlock
}

// seek moves on to the next whole block; false at the end of the input.
func (s *scanner) seek() bool {
	for {
		s.src.skip(1)
		if !s.src.seek(syncMark) {
			return false
		}
		b, state := s.look()
		switch state {
		case goodBlock:
			return true
		case badBlock:
			if s.wasted += int64(b.header.payload); s.wasted > maxWasted {
				s.src.skip(headerSize + int(b.header.payload) - 1)
			}
		}
	}
}
