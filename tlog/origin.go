package tlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// UUID is an agent's identifier, 16 bytes in the order they are printed.
type UUID [16]byte

// String returns the canonical lower-case form.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ParseUUID reads the canonical lower-case form and no other.
func ParseUUID(s string) (u UUID, err error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return UUID{}, errors.New("uuid: want 36 characters, 8-4-4-4-12")
	}
	raw, err := hex.DecodeString(s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36])
	if err != nil {
		return UUID{}, errors.New("uuid: not hexadecimal")
	}
	copy(u[:], raw)
	if u.String() != s {
		return UUID{}, errors.New("uuid: want lower case")
	}
	return u, nil
}

const (
	originPrefix = "teapot/"
	originLen    = len(originPrefix) + 36 + 1 + 32
	// BootSuffix turns an origin into the name of the boot key's signature on a checkpoint.
	BootSuffix = "/boot"
)

// Origin returns a log's identity: "teapot/" agent "/" hex of SHA-256(log public key)[0:16]. agent is the canonical UUID.
func Origin(agent string, logKey ed25519.PublicKey) string {
	sum := sha256.Sum256(logKey)
	return originPrefix + agent + "/" + hex.EncodeToString(sum[:16])
}

// ParseOrigin returns the agent an origin names; it refuses anything Origin does not make.
func ParseOrigin(origin string) (UUID, error) {
	if len(origin) != originLen || origin[:len(originPrefix)] != originPrefix || origin[originLen-33] != '/' {
		return UUID{}, fmt.Errorf("origin %q: want teapot/<uuid>/<32 hex digits>", clip(origin))
	}
	for _, c := range origin[originLen-32:] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return UUID{}, fmt.Errorf("origin %q: the key part is not lower-case hex", origin)
		}
	}
	return ParseUUID(origin[len(originPrefix) : len(originPrefix)+36])
}

// OriginNamesKey says whether origin is the origin of this log key.
func OriginNamesKey(origin string, logKey ed25519.PublicKey) bool {
	agent, err := ParseOrigin(origin)
	return err == nil && len(logKey) == ed25519.PublicKeySize && Origin(agent.String(), logKey) == origin
}

// clip bounds foreign text in messages.
func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}
