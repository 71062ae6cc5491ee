// Package block frames captures: it seals and finds blocks, and lists the columns of each
// kind of block. Sections 2, 4 and 5 of FORMAT.md specify it.
package block
