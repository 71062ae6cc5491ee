// Package format is the capture file: its types and its bytes.
//
// A capture is a sequence of self-delimiting, checksummed blocks, written once
// from front to back and never patched. FORMAT.md beside this file specifies
// every byte.
//
// A part (one recording) starts with a [File] block and holds segments. A
// segment stands alone: dictionaries give small IDs to strings, images,
// frames, stacks, tasks and probes, and [Hits] blocks refer to them by ID. IDs
// mean nothing outside their segment; ID 0 means "none" in every dictionary.
//
// [Writer] writes one part. [Reader] reads any concatenation of parts, damaged
// or truncated ones too: it returns each whole block and reports each gap.
package format
