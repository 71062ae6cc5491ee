// Package format reads and writes capture files.
//
// A capture is a sequence of self-delimiting, checksummed blocks, written once,
// front to back, and never patched. FORMAT.md in this directory specifies every
// byte.
//
// A part (one recording) starts with a [File] block and consists of segments. A
// segment is self-contained: its dictionaries assign small IDs to strings, images,
// frames, stacks, tasks and probes, and its [Hits] blocks refer to them by ID. IDs
// have no meaning outside their segment. ID 0 means "none" in every dictionary.
//
// [Writer] writes one part. [Reader] reads any concatenation of parts, even damaged
// or truncated ones: it returns each whole block and reports each gap.
package format
