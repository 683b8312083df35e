package dcap

import "slices"

// Policy says which verified quotes are good enough. The zero value is the strict one: UpToDate, nothing unusual.
// Its TOML form is in docs/formats/dcap-policy.md.
type Policy struct {
	// AcceptStatus lists statuses that are acceptable besides UpToDate. Revoked never is.
	AcceptStatus []Status
	// AcceptAdvisories, when not nil, is the complete list of advisories that an accepted status may carry.
	AcceptAdvisories []string
	// GraceDays accepts OutOfDate for so many days after the TCB date of the levels the platform has
	// (OutOfDateConfigurationNeeded too where ConfigurationNeeded is acceptable).
	GraceDays int
	// Allow lets attributes pass that weaken the TEE.
	Allow Allow
	// MinEvaluation is the lowest tcbEvaluationDataNumber of TCB info and QE identity.
	MinEvaluation uint64
}

// Allow is a set of attributes that the zero Policy refuses.
type Allow uint8

// Attributes that weaken the TEE.
const (
	AllowDebug              Allow = 1 << iota // a debugger may read the enclave or TD
	AllowTUD                                  // TD under test: profiling bits 1 to 7
	AllowMigratable                           // the TD may be migrated
	AllowServiceTD                            // a service TD is bound (MR_SERVICETD)
	AllowReservedAttributes                   // TD attribute bits nobody knows
	AllowXFAM                                 // XFAM without x87 and SSE, or with bits nobody knows
)

var allowNames = [...]string{"debug", "tud", "migratable", "service_td", "reserved_attributes", "xfam"}

// ParseAllow reads one name of the policy file.
func ParseAllow(name string) (Allow, bool) {
	i := slices.Index(allowNames[:], name)
	if i < 0 {
		return 0, false
	}
	return 1 << i, true
}

// AllowNames lists the names that ParseAllow knows.
func AllowNames() []string { return slices.Clone(allowNames[:]) }

// status says whether the policy accepts a status; inGrace whether GraceDays have not yet passed.
func (p *Policy) status(s Status, inGrace bool) bool {
	listed := func(s Status) bool { return s == UpToDate || slices.Contains(p.AcceptStatus, s) }
	switch {
	case s == StatusNone || s == Revoked:
		return false
	case listed(s):
		return true
	case s == OutOfDate:
		return inGrace
	case s == OutOfDateConfigurationNeeded:
		return inGrace && listed(ConfigurationNeeded)
	}
	return false
}
