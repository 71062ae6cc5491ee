package ring

// A Chunk is a run of whole events of one CPU, copied out of a ring. A chunk
// with no data marks the end of a round: every event that was in any ring when
// the round began has been handed out.
type Chunk struct {
	CPU  int
	Data []byte
}

// Next returns the chunk's first event and goes on to the next. What is no event
// hides all that is behind it and comes as one.
func (c *Chunk) Next() (event []byte, ok bool) {
	if len(c.Data) == 0 {
		return nil, false
	}
	n := eventSize(c.Data)
	if n == 0 || n > len(c.Data) {
		n = len(c.Data)
	}
	event, c.Data = c.Data[:n], c.Data[n:]
	return event, true
}
