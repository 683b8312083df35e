package verify

import (
	"iter"
	"maps"
	"slices"
)

// ordered walks a map by its keys in order, so that a Result reads the same on every machine.
func ordered[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
