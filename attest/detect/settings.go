package detect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// settings are the environment variables that Eliza's users know, and TEAPOT_PLATFORM.
type settings struct {
	mode            string // TEE_MODE, upper case; "" unset
	sgx             bool
	salt            string
	endpoint        string // http URL or socket path
	endpointFrom    string // which setting said so
	platform        string // TEAPOT_PLATFORM naming one
	requireHardware bool
}

// Endpoints of Eliza's TEE_MODE (plugin-tee).
const (
	localEndpoint  = "http://localhost:8090"
	dockerEndpoint = "http://host.docker.internal:8090"
)

func readSettings(getenv func(string) string) (settings, error) {
	s := settings{mode: strings.ToUpper(strings.TrimSpace(getenv("TEE_MODE"))), salt: getenv("WALLET_SECRET_SALT")}
	if s.mode != "" && !slices.Contains([]string{"OFF", "LOCAL", "DOCKER", "PRODUCTION"}, s.mode) {
		return s, fmt.Errorf("invalid TEE_MODE %q: must be one of OFF, LOCAL, DOCKER, PRODUCTION", getenv("TEE_MODE"))
	}
	var err error
	if s.sgx, err = truth(getenv("SGX")); err != nil {
		return s, fmt.Errorf("invalid SGX: %w", err)
	}
	if err := s.setPlatform(getenv("TEAPOT_PLATFORM")); err != nil {
		return s, err
	}
	s.setEndpoint(getenv)
	return s, s.contradiction()
}

func (s *settings) setPlatform(v string) error {
	switch v {
	case "", "detect":
	case "require-hardware":
		s.requireHardware = true
	case "simulator", "dstack-tdx", "gramine-sgx", "tdx":
		s.platform = v
	default:
		return fmt.Errorf("invalid TEAPOT_PLATFORM %q: must be require-hardware, detect, simulator, dstack-tdx, gramine-sgx or tdx", v)
	}
	return nil
}

// setEndpoint: the simulator variables win over TEE_MODE, as in the published SDKs; the guest agent's over tappd's.
func (s *settings) setEndpoint(getenv func(string) string) {
	for _, name := range []string{"DSTACK_SIMULATOR_ENDPOINT", "TAPPD_SIMULATOR_ENDPOINT"} {
		if v := getenv(name); v != "" {
			s.endpoint, s.endpointFrom = v, name
			return
		}
	}
	switch s.mode {
	case "LOCAL":
		s.endpoint, s.endpointFrom = localEndpoint, "TEE_MODE=LOCAL"
	case "DOCKER":
		s.endpoint, s.endpointFrom = dockerEndpoint, "TEE_MODE=DOCKER"
	}
}

// contradiction refuses settings that cannot all be meant.
func (s *settings) contradiction() error {
	tdx := s.mode != "" && s.mode != "OFF"
	external := s.endpoint != "" && !strings.HasPrefix(s.endpointFrom, "TEE_MODE")
	switch {
	case s.sgx && tdx:
		return fmt.Errorf("SGX and TEE_MODE=%s are both set: cannot configure both SGX and TDX at the same time", s.mode)
	case s.sgx && external:
		return fmt.Errorf("SGX and %s are both set: one asks for Gramine, the other for a dstack simulator", s.endpointFrom)
	case external && s.mode == "PRODUCTION":
		return fmt.Errorf("TEE_MODE=PRODUCTION asks for the real platform and %s for a simulator: unset one", s.endpointFrom)
	case external && s.mode == "OFF":
		return fmt.Errorf("TEE_MODE=OFF asks for no TEE and %s for one: unset one", s.endpointFrom)
	case s.sgx && s.mode == "OFF":
		return errors.New("SGX and TEE_MODE=OFF are both set: unset one")
	}
	return s.platformContradiction(tdx)
}

func (s *settings) platformContradiction(tdx bool) error {
	switch {
	case s.requireHardware && s.endpoint != "":
		return fmt.Errorf("TEAPOT_PLATFORM=require-hardware and %s, which names a simulator: unset one", s.endpointFrom)
	case s.requireHardware && s.mode == "OFF":
		return errors.New("TEAPOT_PLATFORM=require-hardware and TEE_MODE=OFF: unset one")
	case s.platform != "" && s.platform != "dstack-tdx" && (tdx || s.endpoint != ""):
		return fmt.Errorf("TEAPOT_PLATFORM=%s and TEE_MODE or a simulator endpoint, which mean dstack: unset one", s.platform)
	case s.platform != "" && s.platform != "gramine-sgx" && s.sgx:
		return fmt.Errorf("TEAPOT_PLATFORM=%s and SGX are both set: unset one", s.platform)
	case s.platform != "" && s.platform != "simulator" && s.mode == "OFF":
		return fmt.Errorf("TEAPOT_PLATFORM=%s and TEE_MODE=OFF: unset one", s.platform)
	}
	return nil
}

func (s *settings) reason(fallback string) string {
	if s.platform != "" {
		return "TEAPOT_PLATFORM=" + s.platform
	}
	return fallback
}

// warnings tell Eliza's users what their settings do not do.
func (s *settings) warnings() []string {
	tdx := s.mode != "" && s.mode != "OFF"
	switch {
	case tdx && s.salt == "":
		return []string{"TEE_MODE is set without WALLET_SECRET_SALT: Eliza would refuse; wallets use Teapot's own derivation"}
	case s.salt != "" && s.sgx:
		return []string{"WALLET_SECRET_SALT has no meaning under SGX: plugin-sgx derives no wallets"}
	}
	return nil
}

func truth(v string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "1", "true", "yes", "y", "on", "enable", "enabled":
		return true, nil
	case "", "0", "false", "no", "n", "off", "disable", "disabled":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", v)
}
