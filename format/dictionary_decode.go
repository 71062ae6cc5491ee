package format

import "fmt"

// A dictionary decodes the rows of one dictionary block.
type dictionary struct {
	segment *Segment // charged for lists
	columns []column
	first   uint32 // ID
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

// stacks decodes stacks whose IDs start at d.first. A stack that shares frames with
// one that was lost has nil frames: it is lost too.
func (d *dictionary) stacks() ([]Stack, error) {
	sizes, inner, err := lengths(d.columns, d.rows, stackLength, MaxValues)
	if err != nil {
		return nil, err
	}
	shared, outer, err := lengths(d.columns, d.rows, stackShared, MaxValues-inner)
	if err != nil {
		return nil, err
	}
	if err := d.segment.charge((inner + outer) * costFrame); err != nil {
		return nil, err
	}
	c, err := several(d.columns, d.rows, stackKernel, stackCut, stackBack)
	if err != nil {
		return nil, err
	}
	ids, err := decode(nil, d.columns, stackFrames, inner)
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
			from, ok := d.earlier(out[:i], back)
			if !ok {
				continue
			}
			if shared[i] > uint64(len(from.Frames)) {
				return nil, fmt.Errorf("stack shares %d frames of one that has %d", shared[i], len(from.Frames))
			}
			all = append(all, from.Frames[len(from.Frames)-int(shared[i]):]...)
		} else if shared[i] != 0 {
			return nil, fmt.Errorf("stack shares %d frames with none", shared[i])
		}
		out[i].Frames = all[start:len(all):len(all)]
	}
	return out, nil
}

// earlier returns the stack so many IDs before the one that follows rows.
func (d *dictionary) earlier(rows []Stack, back uint64) (Stack, bool) {
	if n := uint64(len(rows)); back > n {
		id := uint64(d.first) + n - back
		if id > max32 { // below 0
			return Stack{}, false
		}
		return d.segment.Stack(StackID(id))
	}
	s := rows[uint64(len(rows))-back]
	return s, s.Frames != nil
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
	c, err := several(d.columns, total, fieldName, fieldType, fieldSize, fieldCount, fieldNames)
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

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
