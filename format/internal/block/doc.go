// Package block is the framing of captures: blocks with a header, checksums and a
// payload, and the columns that each kind of block has. FORMAT.md, sections 2, 4 and 5,
// specifies it.
package block
