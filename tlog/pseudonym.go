package tlog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// Pseudonym stands for a room or user in a leaf: the first 16 bytes of HMAC-SHA-256(log privacy key, label ‖ 0x00 ‖ id). The
// zero value means there is none.
type Pseudonym [16]byte

// String returns lower-case hex, "" for none.
func (p Pseudonym) String() string {
	if p == (Pseudonym{}) {
		return ""
	}
	return hex.EncodeToString(p[:])
}

// ParsePseudonym reads 32 lower-case hex digits.
func ParsePseudonym(s string) (p Pseudonym, err error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(p) || hex.EncodeToString(raw) != s {
		return Pseudonym{}, errors.New("pseudonym: want 32 lower-case hex digits")
	}
	copy(p[:], raw)
	return p, nil
}

// Labels of the HMACs under a log's privacy key. A change of meaning needs a new label.
const (
	labelRoom       = "teapot/pseudonym/room/v1"
	labelUser       = "teapot/pseudonym/user/v1"
	labelRoomSecret = "teapot/room-secret/v1"
)

// RoomPseudonym returns the pseudonym of a room; of "" none.
func RoomPseudonym(privacyKey []byte, room string) Pseudonym {
	return pseudonym(privacyKey, labelRoom, room)
}

// UserPseudonym returns the pseudonym of a user; of "" none.
func UserPseudonym(privacyKey []byte, user string) Pseudonym {
	return pseudonym(privacyKey, labelUser, user)
}

// RoomSecret returns the secret that opens a whole conversation. It is handed out once, with the room's first message; naming
// a room or a user never yields it. Compare it with hmac.Equal.
func RoomSecret(privacyKey []byte, room string) [32]byte {
	return [32]byte(labelled(privacyKey, labelRoomSecret, room))
}

func pseudonym(privacyKey []byte, label, id string) Pseudonym {
	if id == "" {
		return Pseudonym{}
	}
	return Pseudonym(labelled(privacyKey, label, id)[:16])
}

func labelled(key []byte, label, id string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(label))
	mac.Write([]byte{0})
	mac.Write([]byte(id))
	return mac.Sum(nil)
}
