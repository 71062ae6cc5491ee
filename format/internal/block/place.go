package block

// A Place is where in a capture a block stands: after which FILE and which SEGMENT block,
// whose checksums it carries.
type Place struct{ part, segment uint32 }

// Stamps returns the checksums that a block of the kind carries here.
func (p *Place) Stamps(k Kind) (part, segment uint32) {
	switch k {
	case File:
		return 0, 0
	case Segment:
		return p.part, 0
	}
	return p.part, p.segment
}

// Pass moves on behind a block.
func (p *Place) Pass(h *Header) {
	switch h.Kind {
	case File:
		p.part, p.segment = h.CRC, 0
	case Segment:
		p.segment = h.CRC
	}
}
