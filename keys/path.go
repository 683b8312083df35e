// Package keys names Teapot's derived keys and turns 32 secret bytes into keys, addresses and signatures.
//
// It trusts whoever supplies the secret bytes: custody is a property of the platform (attest.Attester.Custody), never of
// this arithmetic. Keys have one use each: a log, boot or agent key signs only Teapot's formats, a wallet key only through
// the agent's gate. Sub-packages: dstackkey (dstack's and tappd's derivation and signature chains), wallets (an agent's
// wallets over an Attester, Eliza-compatible or Teapot's own).
//
// Paths: docs/formats/keys.md.
package keys

import (
	"fmt"
	"slices"
	"strings"
)

// Prefix begins the path of every key Teapot derives for itself. No caller of the guest API ever gets such a path.
const Prefix = "teapot/"

// Purpose is what a derived key is for.
type Purpose string

// Purposes. The numbers of logs are part of the path (LogPath).
const (
	Log     Purpose = "log"     // signs checkpoints; stable over starts, witnesses pin it
	Storage Purpose = "storage" // wraps the log's frames and the agent's memory
	Privacy Purpose = "privacy" // makes pseudonyms of rooms and users
	Wallet  Purpose = "wallet"  // holds money
	Guest   Purpose = "guest"   // root of callers' keys where the platform has none of its own
)

// Curve is what the bytes are used as.
type Curve string

// Curves. Secret is for symmetric keys.
const (
	Ed25519   Curve = "ed25519"
	Secp256k1 Curve = "secp256k1"
	P256      Curve = "p256"
	Secret    Curve = "secret"
)

// Path is teapot/<purpose>/<agent UUID>/<curve>.
func Path(p Purpose, agent string, c Curve) (string, error) {
	if !slices.Contains([]Purpose{Storage, Privacy, Wallet, Guest}, p) {
		return "", fmt.Errorf("key path: purpose %q has no path of this form", p)
	}
	if !slices.Contains([]Curve{Ed25519, Secp256k1, P256, Secret}, c) {
		return "", fmt.Errorf("key path: unknown curve %q", c)
	}
	if !validUUID(agent) {
		return "", fmt.Errorf("key path: agent %q is not a lower-case UUID", agent)
	}
	return Prefix + string(p) + "/" + agent + "/" + string(c), nil
}

// LogPath is teapot/log/<agent UUID>/<log number>/ed25519.
func LogPath(agent string, number uint64) (string, error) {
	if !validUUID(agent) {
		return "", fmt.Errorf("key path: agent %q is not a lower-case UUID", agent)
	}
	return fmt.Sprintf("%s%s/%s/%d/%s", Prefix, Log, agent, number, Ed25519), nil
}

func validUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return true
}
