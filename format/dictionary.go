package format

import (
	"fmt"

	"trapline/format/internal/block"
	"trapline/format/internal/column"
)

// A dictionary decodes the rows of one dictionary block.
type dictionary struct {
	budget  *budget // charged for lists
	columns column.Set
	first   uint32 // ID of the first row
	rows    int
}

// fit returns an error if a value does not fit into its field.
func fit(values []uint64, max uint64, what string) error {
	for _, v := range values {
		if v > max {
			return fmt.Errorf("%s %d is out of range", what, v)
		}
	}
	return nil
}

const (
	max8  = 1<<8 - 1
	max16 = 1<<16 - 1
	max32 = 1<<32 - 1
)

func (d *dictionary) strings() ([]string, error) {
	list, err := d.columns.Texts(d.rows, block.StringLength, block.StringText)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, text := range list {
		total += len(text)
	}
	return list, d.budget.charge(total)
}

func (d *dictionary) images() ([]Image, error) {
	c, err := d.columns.Several(d.rows, block.ImageKind, block.ImagePath, block.ImageBuildID, block.ImageDevice, block.ImageInode)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max8, "image kind"), fit(c[1], max32, "path"), fit(c[2], max32, "build ID")); err != nil {
		return nil, err
	}
	out := make([]Image, d.rows)
	for i := range out {
		out[i] = Image{ImageKind(c[0][i]), StringID(c[1][i]), StringID(c[2][i]), c[3][i], c[4][i]}
	}
	return out, nil
}

func (d *dictionary) frames() ([]Frame, error) {
	c, err := d.columns.Several(d.rows, block.FrameImage, block.FrameKind, block.FrameFlags, block.FrameOffset)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max32, "image"), fit(c[1], max8, "frame kind"), fit(c[2], max8, "frame flags")); err != nil {
		return nil, err
	}
	out := make([]Frame, d.rows)
	for i := range out {
		out[i] = Frame{ImageID(c[0][i]), FrameKind(c[1][i]), FrameFlags(c[2][i]), c[3][i]}
	}
	return out, nil
}

// stacks decodes stacks with IDs from d.first. known holds the earlier ones. A stack that
// shares frames with a lost one has nil frames: it is lost, too.
func (d *dictionary) stacks(known *table[Stack]) ([]Stack, error) {
	sizes, inner, err := d.columns.Lengths(d.rows, block.StackLength, MaxValues)
	if err != nil {
		return nil, err
	}
	shared, outer, err := d.columns.Lengths(d.rows, block.StackShared, MaxValues-inner)
	if err != nil {
		return nil, err
	}
	if err := d.budget.charge((inner + outer) * costFrame); err != nil {
		return nil, err
	}
	c, err := d.columns.Several(d.rows, block.StackKernel, block.StackCut, block.StackBack)
	if err != nil {
		return nil, err
	}
	ids, err := d.columns.Numbers(nil, block.StackFrames, inner)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], 1, "kernel mark"), fit(c[1], max8, "cut"), fit(ids, max32, "frame")); err != nil {
		return nil, err
	}
	all := make([]FrameID, 0, inner+outer)
	out := make([]Stack, d.rows)
	for i := range out {
		start := len(all)
		for _, id := range ids[:sizes[i]] {
			all = append(all, FrameID(id))
		}
		ids = ids[sizes[i]:]
		out[i] = Stack{Kernel: c[0][i] == 1, Cut: StackCut(c[1][i])}
		if back := c[2][i]; back != 0 {
			from, ok := d.earlier(known, out[:i], back)
			if !ok {
				continue
			}
			if shared[i] > uint64(len(from.Frames)) {
				return nil, fmt.Errorf("stack shares %d frames of one that has %d", shared[i], len(from.Frames))
			}
			all = append(all, from.Frames[len(from.Frames)-int(shared[i]):]...)
		} else if shared[i] != 0 {
			return nil, fmt.Errorf("stack shares %d frames with no other stack", shared[i])
		}
		out[i].Frames = all[start:len(all):len(all)]
	}
	return out, nil
}

// earlier returns the stack back IDs before the next one. rows come after the known
// stacks and before the next one.
func (d *dictionary) earlier(known *table[Stack], rows []Stack, back uint64) (Stack, bool) {
	if n := uint64(len(rows)); back > n {
		id := uint64(d.first) + n - back
		if id > max32 { // below 0
			return Stack{}, false
		}
		s, _ := known.get(uint32(id))
		return s, s.Frames != nil
	}
	s := rows[uint64(len(rows))-back]
	return s, s.Frames != nil
}

func (d *dictionary) tasks() ([]Task, error) {
	c, err := d.columns.Several(d.rows, block.TaskPID, block.TaskTID, block.TaskComm)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max32, "pid"), fit(c[1], max32, "tid"), fit(c[2], max32, "comm")); err != nil {
		return nil, err
	}
	out := make([]Task, d.rows)
	for i := range out {
		out[i] = Task{uint32(c[0][i]), uint32(c[1][i]), StringID(c[2][i])}
	}
	return out, nil
}

func (d *dictionary) shapes() ([]Shape, error) {
	sizes, total, err := d.columns.Lengths(d.rows, block.ShapeLength, MaxValues)
	if err != nil {
		return nil, err
	}
	if err := d.budget.charge(total * costField); err != nil {
		return nil, err
	}
	c, err := d.columns.Several(total, block.FieldName, block.FieldType, block.FieldSize, block.FieldCount, block.FieldNames)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max32, "name"), fit(c[1], max8, "type"), fit(c[2], max8, "size"), fit(c[3], max16, "count"),
		fit(c[4], max32, "names")); err != nil {
		return nil, err
	}
	all := make([]Field, total)
	for i := range all {
		all[i] = Field{StringID(c[0][i]), FieldType(c[1][i]), uint8(c[2][i]), uint16(c[3][i]), StringID(c[4][i])}
	}
	out := make([]Shape, d.rows)
	for i, n := range sizes {
		out[i] = Shape{all[:n:n]}
		if columns := out[i].Columns(); columns > MaxColumns {
			return nil, fmt.Errorf("shape has %d columns, more than the maximum", columns)
		}
		all = all[n:]
	}
	return out, nil
}

func (d *dictionary) probes() ([]Probe, error) {
	c, err := d.columns.Several(d.rows, block.ProbeKind, block.ProbeName, block.ProbeEvent, block.ProbeShape, block.ProbePeriod)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max8, "probe kind"), fit(c[1], max32, "name"), fit(c[2], max32, "event"), fit(c[3], max32, "shape")); err != nil {
		return nil, err
	}
	out := make([]Probe, d.rows)
	for i := range out {
		out[i] = Probe{ProbeKind(c[0][i]), StringID(c[1][i]), StringID(c[2][i]), ShapeID(c[3][i]), c[4][i]}
	}
	return out, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *dictionary) symbols(known *table[Frame]) ([]Symbol, error) {
	out, frames, err := d.symbolFrames(known)
	if err != nil {
		return nil, err
	}
	sizes, total, err := d.columns.Lengths(d.rows, block.SymbolLength, MaxValues)
	if err != nil {
		return nil, err
	}
	if err := d.budget.charge(total * costCall); err != nil {
		return nil, err
	}
	starts, err := d.columns.Numbers(nil, block.SymbolStart, d.rows)
	if err != nil {
		return nil, err
	}
	c, err := d.columns.Several(total, block.CallFunction, block.CallFile, block.CallLine)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max32, "function"), fit(c[1], max32, "file"), fit(c[2], max32, "line")); err != nil {
		return nil, err
	}
	all := make([]Call, total)
	for i := range all {
		all[i] = Call{Function: StringID(c[0][i]), File: StringID(c[1][i]), Line: uint32(c[2][i])}
	}
	for i, p := range byAddress(frames) {
		n := sizes[i]
		calls := all[:n:n]
		all = all[n:]
		if n > 0 {
			calls[n-1].Offset = p.offset - starts[i]
		}
		out[p.number].Calls = calls
	}
	return out, nil
}

// symbolFrames returns a symbol without calls for each frame of the block, and the frames.
func (d *dictionary) symbolFrames(known *table[Frame]) ([]Symbol, []Frame, error) {
	ids, err := d.columns.Numbers(nil, block.SymbolFrame, d.rows)
	if err != nil {
		return nil, nil, err
	}
	if err := fit(ids, max32, "frame"); err != nil {
		return nil, nil, err
	}
	out, frames := make([]Symbol, d.rows), make([]Frame, d.rows)
	for i, id := range ids {
		f, ok := known.get(uint32(id))
		if !ok {
			return nil, nil, fmt.Errorf("symbols cannot be assigned to frames: frame %d is unknown", id)
		}
		out[i].Frame, frames[i] = FrameID(id), f
	}
	return out, frames, nil
}
