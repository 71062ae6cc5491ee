package format

import "fmt"

// A dictionary decodes the rows of one dictionary block.
type dictionary struct {
	segment *Segment // charged for lists
	columns []column
	rows    int
}

// fit says which value is too large for the field it goes to.
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
	list, err := texts(d.columns, d.rows, stringLength, stringText)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, text := range list {
		total += len(text)
	}
	return list, d.segment.charge(total)
}

func (d *dictionary) images() ([]Image, error) {
	c, err := several(d.columns, d.rows, imageKind, imagePath, imageBuildID, imageDevice, imageInode)
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
	c, err := several(d.columns, d.rows, frameImage, frameKind, frameFlags, frameOffset)
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

func (d *dictionary) stacks() ([]Stack, error) {
	sizes, total, err := lengths(d.columns, d.rows, stackLength, MaxValues)
	if err != nil {
		return nil, err
	}
	if err := d.segment.charge(total * costFrame); err != nil {
		return nil, err
	}
	c, err := several(d.columns, d.rows, stackKernel, stackCut)
	if err != nil {
		return nil, err
	}
	ids, err := decode(nil, d.columns, stackFrames, total)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], 1, "kernel mark"), fit(c[1], max8, "cut"), fit(ids, max32, "frame")); err != nil {
		return nil, err
	}
	all := make([]FrameID, total)
	for i, id := range ids {
		all[i] = FrameID(id)
	}
	out := make([]Stack, d.rows)
	for i, n := range sizes {
		out[i] = Stack{c[0][i] == 1, StackCut(c[1][i]), all[:n:n]}
		all = all[n:]
	}
	return out, nil
}

func (d *dictionary) tasks() ([]Task, error) {
	c, err := several(d.columns, d.rows, taskPID, taskTID, taskComm)
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
	sizes, total, err := lengths(d.columns, d.rows, shapeLength, MaxValues)
	if err != nil {
		return nil, err
	}
	if err := d.segment.charge(total * costField); err != nil {
		return nil, err
	}
	c, err := several(d.columns, total, fieldName, fieldType, fieldSize, fieldCount)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(c[0], max32, "name"), fit(c[1], max8, "type"), fit(c[2], max8, "size"), fit(c[3], max16, "count")); err != nil {
		return nil, err
	}
	all := make([]Field, total)
	for i := range all {
		all[i] = Field{StringID(c[0][i]), FieldType(c[1][i]), uint8(c[2][i]), uint16(c[3][i])}
	}
	out := make([]Shape, d.rows)
	for i, n := range sizes {
		out[i] = Shape{all[:n:n]}
		if columns := out[i].Columns(); columns > MaxColumns {
			return nil, fmt.Errorf("shape has %d columns", columns)
		}
		all = all[n:]
	}
	return out, nil
}

func (d *dictionary) probes() ([]Probe, error) {
	c, err := several(d.columns, d.rows, probeKind, probeName, probeEvent, probeShape, probePeriod)
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

func (d *dictionary) symbols() ([]Symbol, error) {
	sizes, total, err := lengths(d.columns, d.rows, symbolLength, MaxValues)
	if err != nil {
		return nil, err
	}
	if err := d.segment.charge(total * costCall); err != nil {
		return nil, err
	}
	frames, err := decode(nil, d.columns, symbolFrame, d.rows)
	if err != nil {
		return nil, err
	}
	c, err := several(d.columns, total, callFunction, callFile, callLine, callOffset)
	if err != nil {
		return nil, err
	}
	if err := firstError(fit(frames, max32, "frame"), fit(c[0], max32, "function"), fit(c[1], max32, "file"), fit(c[2], max32, "line")); err != nil {
		return nil, err
	}
	all := make([]Call, total)
	for i := range all {
		all[i] = Call{StringID(c[0][i]), StringID(c[1][i]), uint32(c[2][i]), c[3][i]}
	}
	out := make([]Symbol, d.rows)
	for i, n := range sizes {
		out[i] = Symbol{FrameID(frames[i]), all[:n:n]}
		all = all[n:]
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
