// Package layout describes what a program records of a hit besides its stacks: the
// values that it fetches ([Fetch]), where they lie in the record and how they are shown
// ([Field], [Record]), and which hits are kept ([Filter]). It is what finding values,
// running programs and decoding their records agree on.
package layout
