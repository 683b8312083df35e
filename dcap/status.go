package dcap

import "fmt"

// Status is Intel's verdict on a platform's TCB. The zero value means that verification did not complete.
type Status uint8

// Statuses in Intel's order of the specification.
const (
	StatusNone Status = iota
	UpToDate
	SWHardeningNeeded
	ConfigurationNeeded
	ConfigurationAndSWHardeningNeeded
	OutOfDate
	OutOfDateConfigurationNeeded
	TDRelaunchAdvised
	TDRelaunchAdvisedConfigurationNeeded
	Revoked
)

var statusNames = [...]string{
	"", "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
	"OutOfDateConfigurationNeeded", "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded", "Revoked",
}

// String returns Intel's spelling; the zero value is "".
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("unknown status %d", uint8(s))
}

// MarshalText writes Intel's spelling.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads Intel's spelling; anything else is an error.
func (s *Status) UnmarshalText(text []byte) error {
	v, ok := ParseStatus(string(text))
	if !ok {
		return fmt.Errorf("dcap: %q is not a TCB status", text)
	}
	*s = v
	return nil
}

// ParseStatus reads Intel's spelling.
func ParseStatus(text string) (Status, bool) {
	for i, name := range statusNames[1:] {
		if name == text {
			return Status(i + 1), true
		}
	}
	return StatusNone, false
}

// level says whether the status can stand in a TCB level: relaunch advice is computed, never written.
func (s Status) level() bool {
	return s != StatusNone && s != TDRelaunchAdvised && s != TDRelaunchAdvisedConfigurationNeeded
}

// component says whether the status can stand in a QE or TDX module level.
func (s Status) component() bool { return s == UpToDate || s == OutOfDate || s == Revoked }

// needsConfiguration is Intel's isConfigurationNeeded.
func (s Status) needsConfiguration() bool {
	switch s {
	case ConfigurationNeeded, ConfigurationAndSWHardeningNeeded, OutOfDateConfigurationNeeded, TDRelaunchAdvisedConfigurationNeeded:
		return true
	}
	return false
}

// converge joins the platform's status with those of its components (QE, TDX module): section 4.1.2.5.1.3.
func converge(platform Status, components ...Status) Status {
	outOfDate, revoked := false, platform == Revoked
	for _, c := range components {
		outOfDate = outOfDate || c == OutOfDate
		revoked = revoked || c == Revoked
	}
	switch {
	case revoked:
		return Revoked
	case outOfDate && (platform == UpToDate || platform == SWHardeningNeeded):
		return OutOfDate
	case outOfDate && (platform == ConfigurationNeeded || platform == ConfigurationAndSWHardeningNeeded):
		return OutOfDateConfigurationNeeded
	}
	return platform
}

// relaunch joins the verdicts at launch and now of a TD 1.5 (section 4.1.2.5.3). Intel lets a launch verdict stand
// although the module that runs now is revoked; here the worse one counts.
func relaunch(launch, current Status) Status {
	if launch == Revoked || current == Revoked {
		return Revoked
	}
	if launch != OutOfDate && launch != OutOfDateConfigurationNeeded {
		return launch
	}
	switch current {
	case UpToDate, SWHardeningNeeded, ConfigurationNeeded, ConfigurationAndSWHardeningNeeded:
		if launch.needsConfiguration() || current.needsConfiguration() {
			return TDRelaunchAdvisedConfigurationNeeded
		}
		return TDRelaunchAdvised
	}
	return launch
}
