package guestapi

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Hex is a proto `bytes` field: in JSON lower-case hex without 0x going out, with any number of 0x tolerated coming in.
type Hex []byte

// MarshalJSON writes lower-case hex.
func (h Hex) MarshalJSON() ([]byte, error) {
	out := make([]byte, 2+hex.EncodedLen(len(h)))
	out[0], out[len(out)-1] = '"', '"'
	hex.Encode(out[1:], h)
	return out, nil
}

// UnmarshalJSON reads hex with or without 0x; null is empty.
func (h *Hex) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf("a bytes field must be a hex string: %w", err)
	}
	decoded, err := parseHex(text)
	*h = decoded
	return err
}

func parseHex(text string) ([]byte, error) {
	for strings.HasPrefix(text, "0x") {
		text = text[2:]
	}
	decoded, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("a bytes field must be hex: %w", err)
	}
	return decoded, nil
}
