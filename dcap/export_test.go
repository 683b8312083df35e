package dcap

// Known says what a Verifier may still remember: seams for benchmarks.
type Known int

// What is known, each including the one before.
const (
	KnownCollateral Known = iota
	KnownPlatform
	KnownKey
)

// ForgetAbove empties the caches of what is not known.
func (v *Verifier) ForgetAbove(k Known) {
	if k < KnownPlatform {
		v.chains.young, v.chains.old = nil, nil
	}
	if k < KnownKey {
		v.qes.young, v.qes.old = nil, nil
	}
}
