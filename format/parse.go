package format

import (
	"errors"
	"fmt"

	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// These functions decode blocks other than dictionaries and HITS.

func parseFile(b *block.Block) (*File, error) {
	version, rest, ok := block.ParseFile(b.Payload)
	if !ok {
		return nil, errors.New("FILE block does not begin with the magic")
	}
	f := &File{Version: version}
	if f.Version > Version {
		return nil, &VersionError{Major: f.Version}
	}
	columns, err := column.Parse(rest)
	if err != nil {
		return nil, err
	}
	if b.Rows > MaxColumns {
		return nil, fmt.Errorf("%d properties, more than the maximum", b.Rows)
	}
	keys, err := columns.Texts(int(b.Rows), block.FileKeyLength, block.FileKey)
	if err != nil {
		return nil, err
	}
	values, err := columns.Texts(int(b.Rows), block.FileValueLength, block.FileValue)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		f.Properties = append(f.Properties, Property{keys[i], values[i]})
	}
	return f, nil
}

func parseSegment(b *block.Block) (*SegmentStart, error) {
	columns, err := column.Parse(b.Payload)
	if err != nil {
		return nil, err
	}
	v, err := columns.Singles(block.SegmentSequence, block.SegmentMonotonic, block.SegmentBoottime, block.SegmentRealtime)
	if err != nil {
		return nil, err
	}
	return &SegmentStart{Sequence: v[0], Clock: Clock{Monotonic: v[1], Boottime: v[2], Realtime: v[3]}}, nil
}

func parseSegmentEnd(columns column.Set) (*SegmentEnd, error) {
	v, err := columns.Singles(block.EndStrings, block.EndImages, block.EndFrames, block.EndStacks, block.EndTasks, block.EndShapes, block.EndProbes, block.EndHits)
	if err != nil {
		return nil, err
	}
	return &SegmentEnd{Strings: v[0], Images: v[1], Frames: v[2], Stacks: v[3], Tasks: v[4], Shapes: v[5], Probes: v[6], Hits: v[7]}, nil
}

func parseLoss(h block.Header, columns column.Set) (*Loss, error) {
	if h.Rows > MaxValues {
		return nil, fmt.Errorf("%d counts in one block, more than the maximum", h.Rows)
	}
	c, err := columns.Several(int(h.Rows), block.LossProbe, block.LossCPU, block.LossCause, block.LossCount)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max32, "probe"), fit(c[1], max32, "CPU"), fit(c[2], max8, "cause")); err != nil {
		return nil, err
	}
	loss := &Loss{Time: h.TimeMin, Counts: make([]Count, h.Rows)}
	for i := range loss.Counts {
		loss.Counts[i] = Count{ProbeID(c[0][i]), uint32(c[1][i]), Cause(c[2][i]), c[3][i]}
	}
	return loss, nil
}
