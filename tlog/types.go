package tlog

import "strings"

// Entry types that carry rules of their own. Every other type of Teapot's is one word in lower case; types of callers begin
// with AppPrefix.
const (
	TypeBoot    = "boot"    // a start: the first entry of every start
	TypePolicy  = "policy"  // a policy in force from here on
	TypeIntent  = "intent"  // what is about to happen
	TypeResult  = "result"  // what came of an intent
	TypeErasure = "erasure" // contents that were erased, on whose demand and why

	AppPrefix = "app/" // the only types that callers of the API may write, besides intent and result
)

// Limits of types. A kinds map never holds more than MaxKinds types, so that it stays small enough to hash for every entry.
const (
	MaxTypeLen  = 64
	MaxAppTypes = 64
	MaxKinds    = 128
)

// ValidType says whether t can be an entry's type: segments of [a-z0-9._-] that begin with a letter or digit, one segment for
// Teapot's own types, "app/" and one segment for callers'.
func ValidType(t string) bool {
	if len(t) > MaxTypeLen {
		return false
	}
	return validSegment(strings.TrimPrefix(t, AppPrefix))
}

// Erasable says whether content of this type may be erased.
func Erasable(t string) bool {
	switch t {
	case TypeBoot, TypePolicy, TypeIntent, TypeResult, TypeErasure:
		return false
	}
	return true
}

func validSegment(s string) bool {
	if s == "" || strings.ContainsRune("._-", rune(s[0])) {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// validMediaType is RFC 6838's shape as far as bytes go: printable ASCII with a slash. Nobody here interprets it.
func validMediaType(m string) bool {
	if len(m) > 127 || !strings.Contains(m, "/") {
		return false
	}
	for _, c := range []byte(m) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}
