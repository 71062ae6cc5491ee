package format

// A File starts a part: one recording on one machine. If the block itself was
// lost, a File without properties replaces it.
type File struct {
	Version    uint16
	Properties []Property
}

// Get returns the value of the first property with the key, or "".
func (f *File) Get(key string) string {
	for _, p := range f.Properties {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// A Property is one key and value of a part's FILE block. Readers keep and ignore
// unknown keys.
type Property struct {
	Key, Value string
}

// Keys of FILE properties that trapline's programs write or read.
const (
	KeyHostname    = "hostname"
	KeyKernel      = "kernel"         // uname -r
	KeyKernelVer   = "kernel.version" // uname -v
	KeyArch        = "arch"           // GOARCH spelling: amd64, arm64
	KeyBootID      = "boot_id"
	KeyCPUs        = "cpus"         // CPUs online at the start, as a list: 0-3,8
	KeyPageSize    = "page_size"    // bytes
	KeyClock       = "clock"        // clock of all times: monotonic
	KeyResolution  = "resolution"   // times of hits are multiples of this, in ns; default 1
	KeyCommandLine = "command_line" // of the recorder, shell-quoted
	KeyToolVersion = "tool_version"
	KeyStarted     = "started" // wall clock time when recording was set up, RFC 3339 with ns; distinguishes recordings
	KeyTarget      = "target"  // what was recorded, in words: "system-wide", "pid 123"
)

// A SegmentStart begins a segment: dictionaries are empty again, and earlier IDs
// have no meaning. If the block itself was lost, a SegmentStart with Sequence 0 and
// no clock replaces it.
type SegmentStart struct {
	Sequence uint64 // from 1 in each part
	Clock    Clock
}

// A Clock holds several clocks read at the same moment, in ns. It relates the part's
// clock to the others.
type Clock struct {
	Monotonic, Boottime, Realtime uint64
}
