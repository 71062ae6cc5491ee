// Package column encodes and decodes columns: the numbers and texts that make up the
// payloads of blocks. Section 3 of FORMAT.md specifies the encoding.
//
// A [Builder] appends columns to a payload, each encoded by a [Recipe]. [Parse] finds the
// columns of a payload, and [Set] decodes the requested ones.
package column
