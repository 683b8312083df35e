package guestapi

import (
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"errors"

	"github.com/teapot-tee/teapot/evidence"
)

// appDataPrefix is the tag of TdxQuote where the caller names none.
const appDataPrefix = "app-data"

// errReserved is the answer to a caller who asks for a quote that Teapot's own verifier could take for Teapot's.
var errReserved = errors.New("report data that begins with TEAPOT is reserved for Teapot's own statements; " +
	"choose other report data, or hash it")

// hashedReportData is Tappd.TdxQuote's construction: H(prefix ‖ ":" ‖ content), left-aligned in 64 bytes, zeros on the right.
// raw wants exactly 64 bytes and ignores the prefix. It returns the effective name of the hash.
func hashedReportData(content []byte, algorithm, prefix string) ([64]byte, string, error) {
	var out [64]byte
	if algorithm == "" {
		algorithm = "sha512"
	}
	if algorithm == "raw" {
		if len(content) != len(out) {
			return out, algorithm, errors.New("invalid content length") // upstream's words, here and below: clients compare them
		}
		copy(out[:], content)
		return out, algorithm, nil
	}
	if prefix == "" {
		prefix = appDataPrefix
	}
	digest, err := digestOf(algorithm, append([]byte(prefix+":"), content...))
	copy(out[:], digest)
	return out, algorithm, err
}

func digestOf(algorithm string, msg []byte) ([]byte, error) {
	switch algorithm {
	case "sha256":
		sum := sha256.Sum256(msg)
		return sum[:], nil
	case "sha384":
		sum := sha512.Sum384(msg)
		return sum[:], nil
	case "sha512":
		sum := sha512.Sum512(msg)
		return sum[:], nil
	case "sha3-256":
		sum := sha3.Sum256(msg)
		return sum[:], nil
	case "sha3-384":
		sum := sha3.Sum384(msg)
		return sum[:], nil
	case "sha3-512":
		sum := sha3.Sum512(msg)
		return sum[:], nil
	case "keccak256":
		return keccakSum(msg, 32), nil
	case "keccak384":
		return keccakSum(msg, 48), nil
	case "keccak512":
		return keccakSum(msg, 64), nil
	}
	return nil, errors.New("invalid hash algorithm")
}

// paddedReportData is GetQuote's and Attest's: at most 64 bytes, zeros on the right.
func paddedReportData(data []byte) ([64]byte, error) {
	var out [64]byte
	if len(data) > len(out) {
		return out, errors.New("Report data is too long")
	}
	copy(out[:], data)
	return out, nil
}

// allowed is the last word on every quote: all methods, sockets and back ends come through here.
func allowed(reportData [64]byte) error {
	if evidence.Tagged(reportData[:]) {
		return errReserved
	}
	return nil
}
