package capture

// A chunk is a run of whole events of one CPU, copied out of a ring. A chunk
// with no data marks the end of a round: every event that was in any ring when
// the round began has been handed out.
type chunk struct {
	cpu  int
	data []byte
}

// next returns the chunk's first event and goes on to the next. What is no event
// hides all that is behind it and comes as one.
func (c *chunk) next() (event []byte, ok bool) {
	if len(c.data) == 0 {
		return nil, false
	}
	n := eventSize(c.data)
	if n == 0 || n > len(c.data) {
		n = len(c.data)
	}
	event, c.data = c.data[:n], c.data[n:]
	return event, true
}
