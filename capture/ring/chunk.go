package ring

// A Chunk is a run of whole events from one CPU, copied out of a ring. A chunk without
// data ends a round: all events that were in any ring when the round began have been
// delivered.
type Chunk struct {
	CPU  int
	Data []byte
}

// Next returns the first event and advances. Invalid data ends the chunk and is returned
// as one event.
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
