package attach

import (
	"trapline/bpf"
	"trapline/capture/host"
)

// MappingCounter attaches the program that counts the changes of address spaces.
func (p *Programs) MappingCounter() (*Attachment, error) {
	return p.attachTracing("counting changes of mappings", map[string]string{bpf.HooksProgOnMapping: host.MappingTracepoint})
}
