package probe

import "trapline/format"

// Limits say which of a probe's hits are kept. The rest is counted as sampled out.
type Limits struct {
	Every uint64 // one of so many, on each CPU; 0 or 1: all of them
	Rate  uint64 // hits a second, all CPUs together; 0: any
	Max   uint64 // hits in all; 0: any number
}

// MaxRate is the highest rate that a limit can have: times are in ns.
const MaxRate = 1e9

// limit gives the probe the limits and the stacks that its event asks for. Timed events are sampled by
// the kernel.
func (p *Probe) limit(m Modifiers) {
	p.Stack, p.Depth = m.Stack, m.Depth
	p.Limits = Limits{Every: m.Every, Rate: m.Rate, Max: m.Max}
	if p.Kind == format.ProbeTimed && m.Every > 0 {
		p.PerfPeriod, p.Frequency, p.Limits.Every = m.Every, 0, 0
	}
}

// Period is what a hit of the probe stands for.
func (p *Probe) Period() uint64 {
	if p.PerfPeriod > 0 {
		return p.PerfPeriod
	}
	return max(p.Limits.Every, 1)
}
