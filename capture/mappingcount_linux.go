package capture

import (
	"trapline/bpf"
)

// mappingCounter attaches the program that counts the changes of address spaces.
func (p *programs) mappingCounter() (*attachment, error) {
	return p.attachTracing("counting changes of mappings", map[string]string{bpf.HooksProgOnMapping: mappingTracepoint})
}
