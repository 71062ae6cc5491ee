package capture

import (
	"trapline/bpf"
	"trapline/capture/host"
)

// mappingCounter attaches the program that counts the changes of address spaces.
func (p *programs) mappingCounter() (*attachment, error) {
	return p.attachTracing("counting changes of mappings", map[string]string{bpf.HooksProgOnMapping: host.MappingTracepoint})
}
