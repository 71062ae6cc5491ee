package histogram

import (
	"encoding/binary"
	"strings"

	"trapline/analysis"
	"trapline/format"
)

// noStack is the symbol of hits without stacks.
const noStack = "[no stack]"

// cells returns the values of the keys for a sample and one of its calls.
func cells(keys []Key, s *analysis.Sample, c *analysis.Call) []Cell {
	cells := make([]Cell, len(keys))
	arg := 0
	for i, k := range keys {
		if k.Kind == KeyArg {
			v := &s.Args[arg]
			cells[i].Text = v.String()
			if v.Field != nil {
				cells[i].Value = v
			}
			arg++
			continue
		}
		cells[i] = cell(k, s, c)
	}
	return cells
}

// cell returns the value of a key for a sample and one of its calls, which is nil
// if the sample has no stack.
func cell(k Key, s *analysis.Sample, c *analysis.Call) Cell {
	switch k.Kind {
	case KeyComm:
		return Cell{Text: s.Task.Comm}
	case KeyPID:
		return Cell{Text: s.Process, ID: s.Task.PID}
	case KeyTID:
		return Cell{Text: s.Task.Comm, ID: s.Task.TID}
	case KeyCPU:
		return Cell{ID: uint32(s.CPU)}
	case KeyProbe:
		return Cell{Text: s.Probe.Name}
	case KeyDSO:
		return Cell{Text: dsoName(s, c)}
	case KeySymbol:
		if c == nil {
			name, kernel := probeSymbol(s.Probe)
			return Cell{Text: name, Kernel: kernel}
		}
		return Cell{Text: c.Name(), Kernel: c.Kernel}
	case KeySrcline:
		if c == nil {
			name, _ := probeSymbol(s.Probe)
			return Cell{Text: name}
		}
		return Cell{Text: c.Source()}
	}
	return Cell{}
}

func dsoName(s *analysis.Sample, c *analysis.Call) string {
	if c == nil {
		return probeImage(s.Probe)
	}
	return c.DSO()
}

// probeSymbol names a hit without a stack: perf would show its address, which is in
// the function of the probe.
func probeSymbol(p *analysis.Probe) (name string, kernel bool) {
	if p == nil {
		return noStack, false
	}
	short := p.Name[strings.LastIndexByte(p.Name, ':')+1:]
	switch p.Kind {
	case format.ProbeKprobe, format.ProbeKretprobe, format.ProbeFentry, format.ProbeFexit:
		return short, true
	case format.ProbeUprobe, format.ProbeUretprobe:
		return short, false
	case format.ProbeTracepoint, format.ProbeRawTracepoint:
		return noStack, true
	}
	return noStack, false
}

func probeImage(p *analysis.Probe) string {
	if p != nil {
		switch p.Kind {
		case format.ProbeUprobe, format.ProbeUretprobe:
			// uprobe:libc.so.6:malloc
			if parts := strings.Split(p.Name, ":"); len(parts) >= 3 {
				return parts[len(parts)-2]
			}
		case format.ProbeKprobe, format.ProbeKretprobe, format.ProbeFentry, format.ProbeFexit,
			format.ProbeTracepoint, format.ProbeRawTracepoint:
			return "[kernel.kallsyms]"
		}
	}
	return "[unknown]"
}

// appendKey appends an encoding of the value of a key that identifies it.
func appendKey(b []byte, k Key, s *analysis.Sample, arg int) []byte {
	switch k.Kind {
	case KeyComm:
		return append(append(b, s.Task.Comm...), 0)
	case KeyPID:
		return binary.LittleEndian.AppendUint32(b, s.Task.PID)
	case KeyTID:
		return append(append(binary.LittleEndian.AppendUint32(b, s.Task.TID), s.Task.Comm...), 0)
	case KeyCPU:
		return binary.LittleEndian.AppendUint32(b, uint32(s.CPU))
	case KeyProbe:
		return append(append(b, s.Probe.Name...), 0)
	case KeyArg:
		v := s.Args[arg]
		if v.Numeric() {
			return binary.LittleEndian.AppendUint64(append(b, 1), v.Number)
		}
		return append(append(append(b, 2), v.String()...), 0)
	}
	return b
}
