package guestapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ReservedPrefix begins the names of Teapot's own keys. No policy opens it to callers.
const ReservedPrefix = "teapot/"

// Policy says what callers of one socket may do. The zero value allows Version and nothing else.
type Policy struct {
	// Methods are bare names: "GetQuote" covers every version and spelling of it. "*" allows all.
	Methods []string
	// KeyPaths are prefixes of the key paths and v1 domains that callers may derive; "" allows all.
	// It concerns GetKey, DeriveKey and DeriveK256Key; Sign uses the platform's fixed path "vms" and needs Methods only.
	KeyPaths []string
	// AnyPrefix lets TdxQuote callers choose the prefix, with which they can imitate the platform's own claims ("ratls-cert", …).
	AnyPrefix bool
	// RATLS lets callers have certificates with a quote inside.
	RATLS bool
}

// AllowEverything is the simulator's default policy: whatever a real guest agent does. TEAPOT and teapot/ stay refused.
func AllowEverything() Policy {
	return Policy{Methods: []string{"*"}, KeyPaths: []string{""}, AnyPrefix: true, RATLS: true}
}

// QuotesOnly lets callers see who they are and have quotes over app-data, and no keys.
func QuotesOnly() Policy {
	return Policy{Methods: []string{"Info", "Health", "TdxQuote", "RawQuote", "GetQuote", "Attest"}}
}

// method refuses a method by its bare name.
func (p Policy) method(name string) error {
	if name == "Version" || slices.Contains(p.Methods, name) || slices.Contains(p.Methods, "*") {
		return nil
	}
	return fmt.Errorf("%s is not allowed on this socket; the operator names the allowed methods in the guest API policy", name)
}

// keyPath refuses a key path or v1 domain. reserved are further exact paths, for example those of wallets in use.
func (p Policy) keyPath(path string, reserved []string) error {
	if strings.HasPrefix(path, ReservedPrefix) {
		return errors.New("key paths that begin with teapot/ are reserved for Teapot's own keys; choose another path")
	}
	if slices.Contains(reserved, path) {
		return fmt.Errorf("key path %q belongs to a wallet of the agent and is not given to callers", path)
	}
	for _, prefix := range p.KeyPaths {
		if strings.HasPrefix(path, prefix) {
			return nil
		}
	}
	return fmt.Errorf("key path %q is not allowed on this socket; the operator names the allowed prefixes in the guest API policy", path)
}

func (p Policy) reportPrefix(prefix string) error {
	if prefix == "" || prefix == appDataPrefix || p.AnyPrefix {
		return nil
	}
	return fmt.Errorf("report data prefix %q is not allowed on this socket, only app-data", prefix)
}

func (p Policy) raTLS(wanted bool) error {
	if wanted && !p.RATLS {
		return errors.New("usage_ra_tls is not allowed on this socket: the operator did not allow callers to have attested certificates")
	}
	return nil
}
