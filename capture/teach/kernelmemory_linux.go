package teach

import (
	"fmt"
	"syscall"

	"github.com/cilium/ebpf"

	"trapline/bpf"
)

// kernelMemory reads kernel memory with a BPF program (bpf_probe_read_kernel). It
// requires Linux 5.14 and fails under lockdown=confidentiality.
type kernelMemory struct {
	objects bpf.KernelMemoryObjects
	chunk   []byte
}

func openKernelMemory() (*kernelMemory, error) {
	m := &kernelMemory{}
	if err := bpf.LoadKernelMemoryObjects(&m.objects, nil); err != nil {
		return nil, fmt.Errorf("load the program that reads kernel memory (needs Linux 5.14): %w", err)
	}
	m.chunk = make([]byte, m.objects.KernelChunks.ValueSize())
	return m, nil
}

// read returns size bytes at an address.
func (m *kernelMemory) read(address, size uint64) ([]byte, error) {
	b := make([]byte, 0, size)
	for uint64(len(b)) < size {
		r := bpf.KernelMemoryKernelRange{
			Address: address + uint64(len(b)),
			Size:    min(size-uint64(len(b)), uint64(len(m.chunk))),
		}
		result, err := m.objects.ReadKernel.Run(&ebpf.RunOptions{Context: &r})
		if err != nil {
			return nil, fmt.Errorf("read kernel memory at %#x: %w", r.Address, err)
		}
		if errno := -int32(result); errno != 0 {
			return nil, fmt.Errorf("read kernel memory at %#x: %w", r.Address, syscall.Errno(errno))
		}
		if err := m.objects.KernelChunks.Lookup(uint32(0), m.chunk); err != nil {
			return nil, fmt.Errorf("read kernel memory at %#x: %w", r.Address, err)
		}
		b = append(b, m.chunk[:r.Size]...)
	}
	return b, nil
}

func (m *kernelMemory) close() error { return m.objects.Close() }
