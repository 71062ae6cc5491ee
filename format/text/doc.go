// Package text is the text twin of captures: [Dump] writes every block of a capture as
// text, and [Build] makes a capture of such text. A block is a line with the name of its
// kind and attributes, then a line for each row, indented by a tab:
//
//	HITS first=1
//		time=1000 cpu=1 task=1 probe=1 arg0=42
//
// Attributes that follow from the rest are left out: rows, the time range of
// hits, checksums. Values are decimal, or quoted, or lists in brackets; those
// that are 0 may be left out. A block that cannot be told by its rows has its
// payload in hexadecimal. Lines of # are comments, and RAW lines are bytes
// between blocks. Nothing is checked when text is built into a capture, and any
// attribute may be set, so that damaged captures can be written down.
package text
