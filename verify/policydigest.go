package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Digest names a policy by what it asks for: SHA-256 of its JSON form without the comment, in hex. What was accepted under
// one policy says nothing under another. Empty when the policy cannot be written; an empty digest equals nothing.
func (p Policy) Digest() string {
	p.Comment = ""
	text, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// AcceptedUnder says whether the verdict behind this memory was reached under the very same policy.
func (s Seen) AcceptedUnder(p Policy) bool { return s.Policy != "" && s.Policy == p.Digest() }
