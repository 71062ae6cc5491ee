package block

// A Place is a position in a capture: after which FILE and which SEGMENT block. Blocks carry
// the header CRCs of both.
type Place struct{ part, segment uint32 }

// Stamps returns the two CRCs that a block of the kind carries at this place.
func (p *Place) Stamps(k Kind) (part, segment uint32) {
	switch k {
	case File:
		return 0, 0
	case Segment:
		return p.part, 0
	}
	return p.part, p.segment
}

// Pass moves past a block.
func (p *Place) Pass(h *Header) {
	switch h.Kind {
	case File:
		p.part, p.segment = h.CRC, 0
	case Segment:
		p.segment = h.CRC
	}
}
