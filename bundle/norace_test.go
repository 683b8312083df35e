//go:build !race

package bundle

// raceEnabled says that the race detector, which multiplies memory, is on.
const raceEnabled = false
