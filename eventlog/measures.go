package eventlog

import (
	"crypto/sha256"
)

// Measures are a TD's registers, as a quote carries them.
type Measures struct {
	MRTD                             [48]byte
	RTMR                             Registers
	MRConfigID, MROwner, MROwnerConf [48]byte
}

// Aggregated is dstack's mr_aggregated: SHA-256 over MRTD and RTMR0 to 3, followed by configuration ID, owner and owner's
// configuration when any of the three is not zero.
func (m Measures) Aggregated() [32]byte {
	h := sha256.New()
	h.Write(m.MRTD[:])
	for _, r := range m.RTMR {
		h.Write(r[:])
	}
	zero := [48]byte{}
	if m.MRConfigID != zero || m.MROwner != zero || m.MROwnerConf != zero {
		h.Write(m.MRConfigID[:])
		h.Write(m.MROwner[:])
		h.Write(m.MROwnerConf[:])
	}
	return [32]byte(h.Sum(nil))
}

// ComposeHash is SHA-256 of the exact app-compose bytes: nothing is normalised in the guest, so nothing is here.
func ComposeHash(appCompose []byte) [32]byte { return sha256.Sum256(appCompose) }

// AppID is the first 20 bytes of the compose hash, unless a KMS contract gave another.
func AppID(composeHash [32]byte) [20]byte { return [20]byte(composeHash[:20]) }

// InstanceID is the first 20 bytes of SHA-256(seed ‖ app id).
func InstanceID(seed []byte, appID [20]byte) [20]byte {
	sum := sha256.Sum256(append(append([]byte(nil), seed...), appID[:]...))
	return [20]byte(sum[:20])
}

// ConfigIDV1 is the TD's MRCONFIGID of dstack 0.5.7 and later: 01, compose hash, 15 zero bytes.
func ConfigIDV1(composeHash [32]byte) (id [48]byte) {
	id[0] = 1
	copy(id[1:], composeHash[:])
	return id
}
