// Package text is the text form of captures: [Dump] writes every block of a capture as
// text, and [Build] turns such text into a capture. A block is a line with the name of its
// kind and attributes, followed by one line per row, indented by a tab:
//
//	HITS first=1
//		time=1000 cpu=1 task=1 probe=1 arg0=42
//
// Attributes that follow from the rest are omitted: the number of rows, the time range
// of hits, checksums. Values are decimal numbers, quoted strings, or lists in brackets.
// Zeros may be omitted. A block that rows cannot express has its payload in hexadecimal.
// Lines that start with # are comments, and RAW lines are bytes between blocks. Build
// checks only syntax, and any attribute may be set, so damaged captures can be described.
package text
